"""GET /v1/decisions/{id}: the record; why each item got its score; the same decision computed again."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from starlette.requests import Request

from scoring_core.compile import compile_plan
from scoring_core.edges.history import Recalled
from scoring_core.edges.replica import Replica
from scoring_core.edges.rest.problems import Refused
from scoring_core.explain import EXPLAIN, attribute
from scoring_core.fatigue import FATIGUE_DTYPE, recalled_fatigue, tired
from scoring_core.features.table import FeatureTable
from scoring_core.live import Model, Shelf
from scoring_core.reasons import told, words
from scoring_core.record import user_of
from scoring_core.replay import models_of, replay
from scoring_core.scorers.choice import choose
from scoring_core.scorers.hybrid import HybridScorer
from storage.errors import FairleadError
from storage.records.access import Scope as May
from storage.records.clock import iso
from storage.records.decisions import CANDIDATE_DTYPE, RANK_DTYPE, SCORE_DTYPE, VECTOR_DTYPE, Decision

LARGEST = 12
"""How many features an explanation names per item; the rest is one sum."""


async def show(replica: Replica, request: Request) -> dict[str, Any]:
    """Return a decision's record, its arrays spelled out."""
    record = await _found(replica, request)
    live = replica.follower.live
    return described(record, live.shelf if live is not None else None)


async def explain(replica: Replica, request: Request) -> dict[str, Any]:
    """Return exact attributions of the items served: they sum to the score."""
    record = await _found(replica, request)
    return await asyncio.to_thread(_explained, replica, record)


async def again(replica: Replica, request: Request) -> dict[str, Any]:
    """Compute a decision again and say whether it came out the same; of an erased one, show its tombstone."""
    try:
        record = await _found(replica, request)
    except Erased as erased:
        return {
            "decision_id": request.path_params["id"],
            "verdict": "erased",
            "stage": None,
            "reason": erased.detail,
            "runtime": None,
            "tombstone": erased.tombstone,
        }
    return await asyncio.to_thread(_replayed, replica, record)


class Erased(Refused):
    """The decision's record was erased at a person's request; only its signed tombstone is kept."""

    def __init__(self, tombstone: Mapping[str, Any]) -> None:
        day = iso(tombstone["erased_at"])[:10]
        super().__init__(404, f"This decision was erased on {day} at a person's request; its tombstone is kept.")
        self.tombstone = tombstone


async def _found(replica: Replica, request: Request) -> Decision:
    replica.door.admit(request.headers.get("authorization", "").encode("latin-1"), May.DECISION_READ)
    try:
        record = await asyncio.to_thread(replica.history.decision, request.path_params["id"])
        tombstone = None
        if record is None:
            tombstone = await asyncio.to_thread(replica.history.tombstone, request.path_params["id"])
    except FairleadError as error:
        raise Refused(503, str(error), code=error.code) from None
    if tombstone is not None:
        raise Erased(tombstone)
    if record is None:
        raise Refused(404, "No such decision is in this replica's log or in the lake.")
    return record


def described(record: Decision, shelf: Shelf | None) -> dict[str, Any]:
    """Return a record as JSON. Candidates are item ids where the catalogue still has the record's version or newer."""
    fields = {name: getattr(record, name) for name in record.__struct_fields__}
    plain = {name: value for name, value in fields.items() if not isinstance(value, bytes)}
    ordinals = np.frombuffer(record.candidates, CANDIDATE_DTYPE).tolist()
    items = shelf.catalogue.items if shelf is not None else ()
    vector = record.user_vector
    return {
        **plain,
        "time": iso(record.at),
        "candidates": [items[ordinal].item_id if ordinal < len(items) else None for ordinal in ordinals],
        "candidate_ordinals": ordinals,
        "scores": [_finite(score) for score in np.frombuffer(record.scores, SCORE_DTYPE).tolist()],
        "ranking": np.frombuffer(record.ranking, RANK_DTYPE).tolist(),
        "fatigue": np.frombuffer(record.fatigue, FATIGUE_DTYPE).tolist(),
        "user_vector": None if vector is None else np.frombuffer(vector, VECTOR_DTYPE).tolist(),
        "input_digest": record.input_digest.hex(),
    }


def _explained(replica: Replica, record: Decision) -> dict[str, Any]:
    recalled = replica.history.recall(record)
    sentences = told(record, words(recalled.snapshot, record, recalled.shelf))
    answer: dict[str, Any] = {
        "decision_id": record.decision_id,
        "served_by": record.served_by,
        "reason": record.reason,
        "confidence": record.confidence,
        "confidence_reason": record.confidence_reason,
        "model": None if record.model is None else {"name": record.model, "version": record.model_version},
        "items": [
            {"item": item, "rank": slot + 1, "reasons": list(record.reasons[slot]), "sentences": list(sentences[slot])}
            for slot, item in enumerate(record.items)
        ],
        "attributions": "none",
        "attributions_reason": "",
    }
    reason = _attribute(answer["items"], record, recalled)
    answer["attributions"] = "none" if reason else "exact"
    answer["attributions_reason"] = reason
    return answer


def _attribute(items: list[dict[str, Any]], record: Decision, recalled: Recalled) -> str:
    """Add attributions to the items; return why there are none, empty if there are."""
    if not record.scores or record.policy is None:
        return "nothing scored this decision"
    model, shelf, features = _scoring(record, recalled), recalled.shelf, recalled.items
    if model is None or shelf is None or features is None:
        return "the policy, the model, the catalogue or the item features of this decision are no longer kept"
    if type(model.scorer) not in EXPLAIN:
        return "this scorer has no attributions"
    user = user_of(record)
    ranking = np.frombuffer(record.ranking, RANK_DTYPE).astype(np.int64)
    every = np.frombuffer(record.scores, SCORE_DTYPE)
    places = np.flatnonzero(np.isfinite(every)) if isinstance(model.scorer, HybridScorer) else ranking
    ordinals = np.frombuffer(record.candidates, CANDIDATE_DTYPE).astype(np.int64)[places]
    scores = every[ranking]
    builder = FeatureTable(model.scorer.features, shelf, categories=model.categories)
    near = {
        name: recalled.retrievers[name].affinity(user, ordinals)
        for name in builder.retrievers
        if user is not None and name in recalled.retrievers
    }
    _, weary = tired(recalled_fatigue(record), ordinals, np.arange(len(ordinals)))
    table = builder.rows(
        ordinals, record.context, user, features, near=near, plugins=record.plugins, fatigue=weary, now=record.at
    )
    found = attribute(model.scorer, table)
    if found is None:
        return "this scorer has no attributions"
    rows = np.searchsorted(places, ranking) if isinstance(model.scorer, HybridScorer) else np.arange(len(ranking))
    for slot, (item, at) in enumerate(zip(items, rows.tolist(), strict=True)):
        row = found.contributions[at]
        order = np.argsort(-np.abs(row), kind="stable")
        item["score"] = _finite(float(scores[slot]))
        item["propensity"] = record.propensity[slot]
        item["base"] = float(found.base[at])
        item["contributions"] = [
            {
                "feature": found.names[place],
                "value": _value(found.names[place], table[at], model),
                "contribution": float(row[place]),
            }
            for place in order[:LARGEST].tolist()
            if row[place] != 0.0
        ]
        item["other_features"] = float(row[order[LARGEST:]].sum())
        item["sum"] = float(found.base[at] + row.sum())
    return ""


def _scoring(record: Decision, recalled: Recalled) -> Model | None:
    """Return what scored a decision, made anew by its policy."""
    state = recalled.snapshot.policies.get(record.policy or "") if recalled.snapshot is not None else None
    policy = state.versions.get(record.version or 0) if state is not None else None
    return None if policy is None else choose(policy.scorer, models_of(record, recalled.model))[1]


def _value(name: str, row: NDArray[np.float64], model: Model) -> float | str | None:
    """Return a feature's value; None for what is no feature but a part of the scorer."""
    features = model.scorer.features
    return _told(float(row[features.index(name)]), model.categories.get(name)) if name in features else None


def _replayed(replica: Replica, record: Decision) -> dict[str, Any]:
    recalled = replica.history.recall(record)
    snapshot, shelf, model = recalled.snapshot, recalled.shelf, recalled.model
    plan = None
    if snapshot is not None and shelf is not None:
        plan = compile_plan(snapshot, models=models_of(record, model), shelf=shelf, retrievers=recalled.retrievers)
    verdict = replay(
        record,
        snapshot=snapshot,
        model=model,
        shelf=shelf,
        items=recalled.items,
        retrievers=recalled.retrievers,
        plan=plan,
    )
    return {
        "decision_id": record.decision_id,
        "verdict": verdict.verdict,
        "stage": verdict.stage,
        "reason": verdict.reason,
        "runtime": record.runtime,
    }


def _told(value: float, names: Sequence[str] | None) -> float | str | None:
    """Return a feature's value as a person reads it: a category by its name, what is missing as None."""
    if names is None or not np.isfinite(value):
        return _finite(value)
    return names[int(value)]


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
