"""Whether a trained model goes into service."""

from dataclasses import dataclass
from pathlib import Path

from scoring_core.learning.datasets import feature_table
from scoring_core.learning.evaluate import compare
from scoring_core.learning.train import Prepared, prepare
from scoring_core.scorers.gbdt import load
from scoring_core.scorers.protocol import Floats
from storage import registry
from storage.database import Database
from storage.errors import Unavailable
from storage.lake import Lake
from storage.records.models import ModelVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """Whether the model went into service, and why, in plain words; the differences where two were compared."""

    promoted: bool
    reason: str
    difference: float | None = None
    difference_low: float | None = None
    difference_high: float | None = None


def promote(database: Database, lake: Lake, home: Path, *, model: ModelVersion) -> Promotion:
    """Put a registered model into service: the first always, a later one only if it orders the time that was held out
    from its own training no worse than the one in service. What cannot be compared stays out.

    Raises
    ------
    NotFound
        If the model was not registered.
    """
    with database.read() as read:
        current = registry.in_service(read).get(model.name)
    verdict = _judge(database, lake, home, model=model, current=current)
    if verdict.promoted:
        with database.write() as write:
            registry.promote(write, model.name, model.version)
    return verdict


def _judge(
    database: Database, lake: Lake, home: Path, *, model: ModelVersion, current: ModelVersion | None
) -> Promotion:
    if current is None:
        return Promotion(promoted=True, reason="the first model of its name")
    if current.version == model.version:
        return Promotion(promoted=True, reason="already in service")
    prepared = prepare(database, lake, now=model.created_at, origins=tuple(model.lineage["origins"]))
    try:
        new, old = _scores(home, model, prepared), _scores(home, current, prepared)
    except Unavailable as error:
        return Promotion(promoted=False, reason=f"it cannot be compared: {error}")
    compared = compare(prepared.held_out, new, old, against=f"version {current.version}")
    promoted = compared.difference is not None and compared.difference >= 0.0
    return Promotion(
        promoted=promoted,
        reason=("not worse: " if promoted else "kept out: ") + compared.sentence,
        difference=compared.difference,
        difference_low=compared.difference_low,
        difference_high=compared.difference_high,
    )


def _scores(home: Path, model: ModelVersion, prepared: Prepared) -> Floats:
    table = feature_table(prepared.held_out, model.features, categories=model.categories, shelf=prepared.shelf)
    return load(model, home).scorer.score(table).values
