"""A decision computed again from its record, by the very functions that made it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from scoring_core.adapt import NO_SLOTS, adapt
from scoring_core.candidates.protocol import Retriever
from scoring_core.caps import numbered, without
from scoring_core.compile import compile_plan
from scoring_core.decide import decide
from scoring_core.explore import Onlooker, seeded
from scoring_core.fatigue import recalled_fatigue
from scoring_core.features.profile import PARTS
from scoring_core.gate import NOTHING_LEFT, Admission, recalled
from scoring_core.inputs import DIGEST_BYTES
from scoring_core.live import Facts, ItemFeatures, Live, Model, Request, Shelf
from scoring_core.plan import Plan
from scoring_core.plugins import PluginScorer, failing
from scoring_core.record import user_of
from scoring_core.runtime import runtime_digest
from scoring_core.scorers.choice import parts_of
from storage.records.consent import Consented, ConsentFlags
from storage.records.decisions import CANDIDATE_DTYPE, SCORE_DTYPE, Decision
from storage.records.policies import Snapshot
from storage.records.subjects import USER_DIMENSIONS

Verdict = Literal["exact", "equivalent", "mismatch", "erased", "unavailable"]

TOLERANCE = 1e-9
ORDINAL_BYTES = np.dtype(CANDIDATE_DTYPE).itemsize
VECTOR_BYTES = USER_DIMENSIONS * 4

STAGES: Mapping[str, tuple[str, ...]] = {
    "gate": (
        "subject",
        "session",
        "sequence",
        "consent",
        "consent_epoch",
        "context",
        "user_vector",
        "user_events",
        "user_counts",
        "user_recent",
        "user_interests",
        "user_first_at",
        "user_attributes",
    ),
    "policy": ("policy", "version", "bucket", "arms", "model", "model_version", "scorer"),
    "terms": ("assume_impression", "join_window_s"),
    "candidates": ("candidates", "caller_candidates", "query", "filters", "brought", "sources", "retrievers"),
    "asked": ("decision_id", "at", "replica", "surface", "campaign", "slots", "origin"),
    "inputs": ("revision", "catalogue", "item_feature_epoch", "rng_seed", "runtime", "input_digest"),
    "features": ("input_digest",),
    "score": ("scores",),
    "confidence": ("confidence_raw", "confidence", "confidence_reason"),
    "fallback": ("served_by", "reason"),
    "rules": ("rules", "settings"),
    "caps": ("caps", "cap_counts", "fatigue", "plugins"),
    "rerank": ("rerank_cost",),
    "explore": ("withheld", "ranking", "items", "positions", "propensity", "propensity_kind", "propensity_reason"),
    "reasons": ("reasons",),
}
"""Every field of a record by the stage that fills it, in the order in which stages are compared; ``stage_us`` alone is
a measurement and is not compared."""


@dataclass(frozen=True, slots=True)
class ReplayVerdict:
    """What a replay found: ``stage`` is the first that differs, ``reason`` says what is missing or how it differs.

    ``exact``: the same bytes. ``equivalent``: computed on another runtime, same order, numbers within 1e-9.
    ``erased`` is for the caller to say, who holds the tombstone.
    """

    verdict: Verdict
    stage: str | None = None
    reason: str = ""


def replay(
    record: Decision,
    *,
    snapshot: Snapshot | None,
    model: Model | None,
    shelf: Shelf | None,
    items: ItemFeatures | None,
    retrievers: Mapping[str, Retriever] | None = None,
    plan: Plan | None = None,
) -> ReplayVerdict:
    """Compute ``record`` again and compare.

    Pass what the record names: the snapshot of its revision, the model of its version (None where it names none), the
    shelf of its catalogue version, the item features of its epoch; None for what is no longer kept. ``plan`` is
    ``compile_plan`` of the same, for a caller who replays many.
    """
    if record.origin == "imported":
        return ReplayVerdict("unavailable", reason="imported decisions were made elsewhere")
    if snapshot is None or shelf is None or items is None or (record.model_version is not None and model is None):
        return ReplayVerdict("unavailable", reason=_missing(record, snapshot, shelf, items))
    admission = recalled(record)
    lost = [name for name, version in record.retrievers.items() if _version(retrievers, name) != version]
    if lost:
        return ReplayVerdict(
            "unavailable", reason=f"not kept any more: retriever {lost[0]} {record.retrievers[lost[0]]}"
        )
    if admission is None:
        return ReplayVerdict("mismatch", "gate", "consent, subject and reason contradict each other")
    wrong = _contradiction(record, admission, snapshot=snapshot, model=model, shelf=shelf, items=items)
    if wrong is not None:
        return wrong
    models = models_of(record, model)
    live = Live(
        snapshot=snapshot,
        consent=Recorded(record.consent_epoch),
        models=models,
        shelf=shelf,
        items=items,
        plan=replace(
            plan or compile_plan(snapshot, models=models, shelf=shelf, retrievers=retrievers), reads=frozenset(PARTS)
        ),
        retrievers=retrievers or {},
    )
    return compare(record, again(record, admission, live))


def models_of(record: Decision, model: Model | None) -> dict[str, Model]:
    """Return the models that a record's decision had, by name. A plugin that gave nothing then gives nothing now."""
    if record.model is None or model is None:
        return {}
    models = parts_of(record.model, model)
    if record.reason != "scorer_failed":
        return models
    return {
        name: replace(each, scorer=failing(each.scorer)) if isinstance(each.scorer, PluginScorer) else each
        for name, each in models.items()
    }


def compare(record: Decision, again: Decision) -> ReplayVerdict:
    """Compare a record with the same decision computed here, stage by stage."""
    same_runtime = record.runtime == runtime_digest()
    for stage, fields in STAGES.items():
        for field in fields:
            old, new = getattr(record, field), getattr(again, field)
            if field == "input_digest":
                part = slice(DIGEST_BYTES) if stage == "inputs" else slice(DIGEST_BYTES, None)
                old, new = old[part], new[part]
            if old == new or (not same_runtime and (stage == "features" or _close(field, old, new))):
                continue
            return ReplayVerdict("mismatch", stage, f"{field} differs")
    return ReplayVerdict("exact" if same_runtime else "equivalent")


def _version(retrievers: Mapping[str, Retriever] | None, name: str) -> str | None:
    found = (retrievers or {}).get(name)
    return None if found is None else found.version


class Recorded:
    """The consent record as a decision saw it; the gate's word is taken from the decision itself."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def flags(self, _subject: str, _region: str = "") -> ConsentFlags:
        """Nothing: who asks has the gate's word already."""
        return ConsentFlags(tracking=False, personalization=False, profiling=False)

    def lease_holds(self, _: int) -> bool:
        """Never: nobody is admitted anew."""
        return False


def again(record: Decision, admission: Admission, live: Live, *, onlooker: Onlooker | None = None) -> Decision:
    """Return the decision that ``live`` makes of what ``record`` was made of."""
    ordinals = np.frombuffer(record.candidates, dtype=CANDIDATE_DTYPE).tolist()
    catalogue = live.shelf.catalogue.items
    asked = Request(
        decision_id=record.decision_id,
        subject=record.subject,
        session=record.session,
        sequence=record.sequence,
        surface=record.surface,
        campaign=record.campaign,
        slots=record.slots,
        context=record.context,
        candidates=tuple(catalogue[each].item_id for each in ordinals) if record.caller_candidates else None,
        query=record.query,
        filters=record.filters,
        origin=record.origin,
    )
    facts = Facts(
        user=user_of(record),
        caps=None if record.cap_counts is None else numbered(record.cap_counts, live.plan.caps, live.shelf),
        fatigue=recalled_fatigue(record),
        plugins=record.plugins,
        brought=record.brought,
    )
    made: dict[str, Any] = {"admission": admission, "replica": record.replica, "runtime": record.runtime}
    if record.slots == NO_SLOTS:
        return adapt(asked, facts, live, record.at, **made)
    made_again = decide(asked, facts, live, seeded(record.rng_seed), record.at, onlooker=onlooker, **made)
    return without(made_again, frozenset(record.withheld)) if record.withheld else made_again


def _missing(record: Decision, snapshot: Any, shelf: Any, items: Any) -> str:
    wanted = (
        (snapshot, f"revision {record.revision}"),
        (shelf, f"catalogue {record.catalogue}"),
        (items, f"item features of epoch {record.item_feature_epoch}"),
    )
    absent = [name for value, name in wanted if value is None]
    return f"not kept any more: {', '.join(absent or [f'model {record.model} {record.model_version}'])}"


def _contradiction(
    record: Decision,
    admission: Admission,
    *,
    snapshot: Snapshot,
    model: Model | None,
    shelf: Shelf,
    items: ItemFeatures,
) -> ReplayVerdict | None:
    """Find what cannot have been: numbers other than those of the parts given, arrays of no whole length."""
    version = model.scorer.version if model is not None and record.model_version is not None else record.model_version
    whole = len(record.candidates) // ORDINAL_BYTES * ORDINAL_BYTES
    ordinals = np.frombuffer(record.candidates[:whole], CANDIDATE_DTYPE)
    told = isinstance(admission, Consented) or record.reason not in NOTHING_LEFT
    checks: tuple[tuple[bool, str, str], ...] = (
        (
            not told or (record.reason == "kill_switch") == snapshot.kill_switch.on,
            "gate",
            "the kill switch of that revision says otherwise",
        ),
        (record.revision == snapshot.revision, "inputs", "revision differs from the snapshot"),
        (record.catalogue == shelf.catalogue.version, "inputs", "catalogue differs from the shelf"),
        (record.item_feature_epoch == items.epoch, "inputs", "item_feature_epoch differs from the item features"),
        (record.model_version == version, "inputs", "model_version differs from the model"),
        (len(record.candidates) == whole, "candidates", "candidates are cut"),
        (not len(ordinals) or int(ordinals.max()) < len(shelf.catalogue.items), "candidates", "no such item"),
        (record.user_vector is None or len(record.user_vector) == VECTOR_BYTES, "inputs", "user_vector is cut"),
        (len(record.fatigue) in (0, 4 * (2 + len(ordinals))), "inputs", "fatigue is cut"),
        ((record.user_vector is None) == (record.user_events is None), "inputs", "user_vector without user_events"),
        (record.rng_seed >= 0, "inputs", "rng_seed is negative"),
    )
    return next((ReplayVerdict("mismatch", stage, reason) for holds, stage, reason in checks if not holds), None)


def _close(field: str, old: Any, new: Any) -> bool:
    """Tell whether two numbers or arrays of numbers agree within the tolerance."""
    if field == "scores":
        old, new = np.frombuffer(old, SCORE_DTYPE), np.frombuffer(new, SCORE_DTYPE)
    elif field not in ("confidence_raw", "confidence", "propensity"):
        return False
    if old is None or new is None or np.shape(old) != np.shape(new):
        return False
    return bool(np.allclose(old, new, rtol=0.0, atol=TOLERANCE, equal_nan=True))
