"""What a model of people loses per person on time that it was not trained on."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from scoring_core.learning import churn, next_action, value
from scoring_core.learning.acts import Acts, Whole, load_acts, with_makers
from scoring_core.learning.pairs import pairs_at
from scoring_core.learning.people import features_at, known_at
from scoring_core.learning.proof import log_losses
from scoring_core.models import load_model
from scoring_core.person import PersonModel, Task
from scoring_core.scorers.protocol import Floats
from storage import catalogue
from storage.database import Database
from storage.errors import Unavailable
from storage.lake import Lake
from storage.records.clock import DAY
from storage.records.models import ModelVersion


def losses(database: Database, lake: Lake, home: Path, *, model: ModelVersion, now: int, start: int) -> Floats:
    """Return the loss per person known at ``start``, by what they did in the horizon after it: log loss of churn, next
    action and (mean over creators) of becoming a customer, absolute error of value.

    Raises
    ------
    Unavailable
        If the horizon is not over, or the model tells nothing that comes true.
    """
    task = model.parameters.get("task")
    if task not in LOSSES:
        raise Unavailable(f"models of {task} are not compared person by person")
    loaded: PersonModel = load_model(model, home)
    end = start + int(loaded.horizon_days * DAY)
    if end > now:
        raise Unavailable("the horizon after both trainings is not over")
    acts = load_acts(database, lake, now=now, origins=tuple(model.lineage.get("origins", ("live", "imported"))))
    if loaded.task == "creators":
        with database.read() as read:
            acts, _ = with_makers(acts, catalogue.load(read))
    people = known_at(acts, start)
    return LOSSES[loaded.task](loaded, acts, start, end, people)


def _churn(model: PersonModel, acts: Acts, start: int, end: int, people: Whole) -> Floats:
    _, label = churn.label_of(acts)
    return log_losses(label(acts, start, end, people), model.tell(features_at(acts, start, people)))


def _value(model: PersonModel, acts: Acts, start: int, end: int, people: Whole) -> Floats:
    return np.abs(value.spent(acts, start, end, people) - model.tell(features_at(acts, start, people)))


def _next_action(model: PersonModel, acts: Acts, start: int, end: int, people: Whole) -> Floats:
    told = next_action.features_with_habits(acts, start, people, model.classes)
    outcome = next_action.first_after(acts, start, end, people, model.classes)
    return next_action.losses_of(outcome, model.tell(told))


def _creators(model: PersonModel, acts: Acts, start: int, end: int, _people: Whole) -> Floats:
    found = pairs_at(acts, start, end)
    lost = log_losses(found.outcome, model.tell(found.features))
    _, owner, count = np.unique(found.person, return_inverse=True, return_counts=True)
    return np.bincount(owner, weights=lost) / count


LOSSES: Mapping[Task, Callable[[PersonModel, Acts, int, int, Whole], Floats]] = {
    "churn": _churn,
    "value": _value,
    "next_action": _next_action,
    "creators": _creators,
}
"""How each task's loss is counted."""
