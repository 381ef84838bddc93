"""The part of a decision's record that says what it was computed from."""

from collections.abc import Mapping
from typing import Any

from scoring_core.features.table import Ordinals, statistics
from scoring_core.gate import Admission, Refusal
from scoring_core.inputs import input_digest, matrix_sum
from scoring_core.live import Facts, Live, Request
from scoring_core.plan import PlannedPolicy
from scoring_core.scorers.protocol import Floats
from storage.records.consent import ConsentFlags
from storage.records.decisions import CANDIDATE_DTYPE, Decision
from storage.records.subjects import UserState

NO_COUNTS: Mapping[str, int] = {}


def inputs(
    request: Request,
    live: Live,
    *,
    now: int,
    admission: Admission,
    seed: int,
    user: UserState | None,
    facts: Facts,
    replica: str,
    runtime: str,
) -> dict[str, Any]:
    """Return the record's inputs by field. Of who was refused by the gate it holds neither subject nor session nor
    context: nothing of them was read."""
    refused = isinstance(admission, Refusal)
    return {
        "decision_id": request.decision_id,
        "at": now,
        "replica": replica,
        "subject": None if refused else request.subject,
        "session": None if refused else request.session,
        "sequence": 0 if refused else request.sequence,
        "surface": request.surface,
        "campaign": request.campaign,
        "slots": request.slots,
        "revision": live.snapshot.revision,
        "consent_epoch": admission.epoch,
        "consent": _flags(admission.flags),
        "context": {} if refused else request.context,
        "user_vector": user.vector if user is not None else None,
        "user_events": user.events if user is not None else None,
        **_known(user),
        "query": request.query,
        "filters": request.filters,
        "plugins": facts.plugins,
        "brought": facts.brought,
        "catalogue": live.shelf.catalogue.version,
        "item_feature_epoch": live.items.epoch,
        "caller_candidates": request.candidates is not None,
        "rng_seed": seed,
        "runtime": runtime,
        "origin": request.origin,
    }


def sealed(
    fields: dict[str, Any],
    ordinals: Ordinals,
    *,
    live: Live,
    counts: Mapping[str, int] | None = NO_COUNTS,
    fatigue: bytes = b"",
    refusal: str = "",
    planned: PlannedPolicy | None = None,
    table: Floats | None = None,
) -> dict[str, Any]:
    """Return the inputs with the candidates, and the digest of it all: the fields, why it was refused, the
    snapshot, the catalogue, the model, the candidates' moving features, the feature matrix."""
    fields["candidates"] = ordinals.astype(CANDIDATE_DTYPE).tobytes()
    fields["cap_counts"] = counts
    if fatigue:
        fields["fatigue"] = fatigue
    if planned is not None and planned.retrievers:
        fields["retrievers"] = {name: each.version for name, each in planned.retrievers.items()}
    fields["input_digest"] = input_digest(
        (
            *fields.values(),
            refusal,
            live.plan.digest,
            live.shelf.digest,
            planned.model.scorer.digest if planned is not None and planned.model is not None else "",
            [each.digest for each in planned.retrievers.values()] if planned is not None else [],
            matrix_sum(statistics(live.items, ordinals)),
        ),
        table=table,
    )
    return fields


def _known(user: UserState | None) -> dict[str, Any]:
    """Return what the record holds of a person beside the vector; ``user`` has only what the plan reads."""
    if user is None:
        return {}
    return {
        "user_counts": user.counts,
        "user_recent": user.recent,
        "user_interests": user.interests,
        "user_first_at": user.first_at,
        "user_attributes": user.attributes,
    }


def _flags(flags: ConsentFlags | None) -> dict[str, bool] | None:
    if flags is None:
        return None
    return {
        "tracking": flags.tracking,
        "personalization": flags.personalization,
        "profiling": flags.profiling,
    }


def user_of(record: Decision) -> UserState | None:
    """Return what was known of the person when ``record`` was made; None where nothing was, or nothing was read."""
    if record.user_vector is None or record.user_events is None:
        return None
    return UserState(
        vector=record.user_vector,
        updated_at=record.at,
        events=record.user_events,
        counts=record.user_counts,
        recent=record.user_recent,
        interests=record.user_interests,
        first_at=record.user_first_at,
        attributes=record.user_attributes,
    )
