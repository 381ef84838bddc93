"""Whether a trained model goes into service: never a worse one."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from scoring_core.learning.comparisons import COMPARISONS, Ground
from storage import registry
from storage.database import Database
from storage.errors import Unavailable
from storage.lake import Lake
from storage.records.models import ModelVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """Whether the model may go into service, and why, in plain words; the comparison where two were compared.
    ``waits`` says that the next slice of time has to come first."""

    promoted: bool
    reason: str
    against: str | None = None
    metric: str | None = None
    difference: float | None = None
    difference_low: float | None = None
    difference_high: float | None = None
    margin: float | None = None
    count: int | None = None
    waits: bool = False

    def document(self) -> Mapping[str, Any]:
        """Return the plain form."""
        return asdict(self)


def promote(database: Database, lake: Lake, home: Path, *, model: ModelVersion, now: int | None = None) -> Promotion:
    """Judge a registered model, put it into service if it may, and keep what was said of it.

    Raises
    ------
    NotFound
        If the model was not registered.
    """
    verdict = judge(database, lake, home, model=model, now=model.created_at if now is None else now)
    with database.write() as write:
        registry.note_verdict(write, model.name, model.version, verdict.document())
        if verdict.promoted:
            registry.promote(write, model.name, model.version, at=now)
    return verdict


def judge(database: Database, lake: Lake, home: Path, *, model: ModelVersion, now: int) -> Promotion:
    """Say whether a model may go into service by itself.

    The first of its name may, unless it was shown worse than the one-line rule that it was evaluated against. A later
    one may if, on the slice of time after both trainings, a loss beyond the margin is ruled out (the interval's lower
    end lies above it) and no loss is shown (the upper end is not below zero). What cannot be compared stays out, and so
    does everything after a rollback until a person has put a version in service.
    """
    with database.read() as read:
        current, held = registry.in_service(read).get(model.name), registry.held(read, model.name)
    if held:
        return Promotion(
            promoted=False, reason="kept out: after a rollback a person puts the next version in service", waits=True
        )
    if current is None:
        if model.evaluation.get("verdict") == "worse":
            return Promotion(promoted=False, reason=f"kept out: {model.evaluation.get('sentence', 'worse')}")
        return Promotion(promoted=True, reason="the first model of its name")
    if current.version == model.version:
        return Promotion(promoted=True, reason="already in service")
    if current.kind != model.kind:
        return Promotion(promoted=False, reason=f"it cannot be compared: {current.kind} is in service")
    return _compared(Ground(database=database, lake=lake, home=home, now=now), model, current)


def _compared(ground: Ground, model: ModelVersion, current: ModelVersion) -> Promotion:
    try:
        found = COMPARISONS[model.kind](ground, model, current)
    except Unavailable as error:
        return Promotion(promoted=False, reason=f"it cannot be compared: {error}", against=current.version, waits=True)
    if found.not_worse:
        word = "not worse: "
    elif found.high < 0.0:
        word = "kept out, it is worse: "
    else:
        word = f"kept out, a loss of more than {found.margin:.3g} is not ruled out: "
    return Promotion(
        promoted=found.not_worse,
        reason=word + found.sentence,
        against=current.version,
        metric=found.metric,
        difference=found.difference,
        difference_low=found.low,
        difference_high=found.high,
        margin=found.margin,
        count=found.count,
    )
