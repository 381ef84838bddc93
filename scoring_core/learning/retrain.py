"""Retraining: which models are made anew hourly (minor) and daily (major), each only where there is enough that is new.

What moves with every event needs no training: interests, counters and trends of items are kept by the engines, best
variants by control every minute.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from scoring_core.learning.promote import Promotion, judge
from scoring_core.learning.quality import feedback_quality
from storage import registry
from storage.database import Database
from storage.errors import FairleadError, Invalid
from storage.lake import Lake
from storage.records.models import ModelVersion

Cadence = Literal["minor", "major"]
State = Literal["trained", "skipped", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """How much the lake holds, or how much of it a training takes at least."""

    impressions: int = 0
    clicks: int = 0
    people: int = 0
    touches: int = 0

    def short_of(self, wanted: "Amount") -> str:
        """Return in words what is missing; nothing where it suffices.

        >>> Amount(clicks=3).short_of(Amount(clicks=20))
        '3 of the 20 clicks that it takes'
        """
        lacking = (
            f"{getattr(self, each.name):,} of the {getattr(wanted, each.name):,} {each.name} that it takes"
            for each in fields(self)
            if getattr(self, each.name) < getattr(wanted, each.name)
        )
        return next(lacking, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One training: ``train`` is ``module:function`` with the signature of ``learning.train.train``, ``model`` the name
    that it registers under, ``takes`` what it needs at least."""

    name: str
    cadence: Cadence
    model: str
    train: str
    takes: Amount

    def learner(self) -> Callable[..., ModelVersion]:
        """Return the function that trains."""
        module, _, function = self.train.partition(":")
        learner: Callable[..., ModelVersion] = getattr(import_module(module), function)
        return learner


_LEARNING = "scoring_core.learning."

STEPS = (
    Step(
        name="calibration",
        cadence="minor",
        model="ranker",
        train=_LEARNING + "recalibrate:recalibrate",
        takes=Amount(clicks=1_000),
    ),
    Step(
        name="bandit",
        cadence="minor",
        model="bandit",
        train=_LEARNING + "bandits:train_linear_bandit",
        takes=Amount(impressions=1_000, clicks=20),
    ),
    Step(
        name="factors",
        cadence="minor",
        model="factors",
        train=_LEARNING + "factors:train_factors",
        takes=Amount(people=50, touches=500),
    ),
    Step(
        name="ranker",
        cadence="major",
        model="ranker",
        train=_LEARNING + "train:train",
        takes=Amount(impressions=1_000, clicks=20),
    ),
    Step(
        name="lambdarank",
        cadence="major",
        model="lambdarank",
        train=_LEARNING + "lambdarank:train_lambdarank",
        takes=Amount(impressions=1_000, clicks=20),
    ),
    Step(
        name="hybrid",
        cadence="major",
        model="hybrid",
        train=_LEARNING + "hybrid:train_hybrid",
        takes=Amount(people=50, touches=500),
    ),
    Step(
        name="content",
        cadence="major",
        model="content",
        train=_LEARNING + "content:train_content",
        takes=Amount(),
    ),
    Step(
        name="sequences",
        cadence="major",
        model="sequences",
        train=_LEARNING + "sequences:train_sequences",
        takes=Amount(people=50, touches=500),
    ),
    Step(
        name="churn",
        cadence="major",
        model="churn",
        train=_LEARNING + "churn:train_churn",
        takes=Amount(people=200, touches=1_000),
    ),
    Step(
        name="value",
        cadence="major",
        model="value",
        train=_LEARNING + "value:train_value",
        takes=Amount(people=200, touches=1_000),
    ),
    Step(
        name="clusters",
        cadence="major",
        model="clusters",
        train=_LEARNING + "clusters:train_clusters",
        takes=Amount(people=200),
    ),
    Step(
        name="creators",
        cadence="major",
        model="creators",
        train=_LEARNING + "creators:train_creators",
        takes=Amount(people=200, touches=1_000),
    ),
    Step(
        name="next action",
        cadence="major",
        model="next_action",
        train=_LEARNING + "next_action:train_next_action",
        takes=Amount(people=200, touches=1_000),
    ),
)
"""What is trained when, cheapest first."""
TRAININGS: Mapping[str, Step] = {step.model: step for step in STEPS if step.name != "calibration"}
"""What can be trained on its own, by the name of the model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one step."""

    step: str
    model: str
    state: State
    reason: str = ""
    version: str | None = None
    evaluation: str = ""
    promotion: Promotion | None = None
    seconds: float = 0.0

    def document(self) -> Mapping[str, Any]:
        """Return the plain form."""
        found = {each.name: getattr(self, each.name) for each in fields(self)}
        return found | {"promotion": None if self.promotion is None else self.promotion.document()}


Adopt = Callable[[ModelVersion, Promotion], int | None]
"""Puts a judged version in service through control; returns the revision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retraining:
    """One run: where, as of when, on what."""

    database: Database
    lake: Lake
    home: Path
    now: int
    seed: int
    origins: Sequence[str]
    adopt: Adopt


def retrain(run: Retraining, *, cadence: Cadence, steps: Sequence[Step] = STEPS) -> Mapping[str, Any]:
    """Do the steps of a cadence, each by itself: what fails stops no other."""
    held, newest = amounts(run)
    outcomes = [_step(run, step, held, newest) for step in steps if step.cadence == cadence]
    quality = feedback_quality(run.database, run.lake, now=run.now, origins=run.origins)
    return {
        "kind": cadence,
        "held": {each.name: getattr(held, each.name) for each in fields(held)},
        "steps": [outcome.document() for outcome in outcomes],
        "feedback": quality.document(),
    }


def amounts(run: Retraining) -> tuple[Amount, int]:
    """Return how much the lake holds of the run's origins, and when the newest of it came in."""
    with run.database.read() as read, run.lake.connect(read) as duck:
        row = duck.execute(_AMOUNTS, {"origins": list(run.origins), "now": run.now}).fetchall()[0]
    return Amount(impressions=row[0], clicks=row[1], people=row[2], touches=row[3]), row[4] or 0


_AMOUNTS = """
SELECT count(*) FILTER (type = 'impression') + (SELECT coalesce(sum(len(items)), 0)::BIGINT FROM decisions
        WHERE assume_impression AND list_contains($origins, origin) AND "at" <= $now), count(*) FILTER (type = 'click'),
    count(DISTINCT subject) FILTER (item IS NOT NULL), count(*) FILTER (subject IS NOT NULL AND item IS NOT NULL),
    max(received_at)
FROM events WHERE list_contains($origins, origin) AND received_at <= $now
"""


def _step(run: Retraining, step: Step, held: Amount, newest: int) -> Outcome:
    began = time.monotonic()
    try:
        found = _attempt(run, step, held, newest)
    except Invalid as reason:
        found = Outcome(step=step.name, model=step.model, state="skipped", reason=str(reason))
    except ImportError as error:
        said = f"{error.name} is not installed; install fairlead[learning]"
        found = Outcome(step=step.name, model=step.model, state="skipped", reason=said)
    except FairleadError as error:
        found = Outcome(step=step.name, model=step.model, state="failed", reason=str(error))
    except Exception as error:  # a bug or a lack of memory in one training must not cost the others
        said = f"{type(error).__name__}: {error}"[:500]
        found = Outcome(step=step.name, model=step.model, state="failed", reason=said)
    return Outcome(
        **{each.name: getattr(found, each.name) for each in fields(found) if each.name != "seconds"},
        seconds=round(time.monotonic() - began, 3),
    )


def _attempt(run: Retraining, step: Step, held: Amount, newest: int) -> Outcome:
    short = held.short_of(step.takes)
    with run.database.read() as read:
        known = [each for each in registry.standings(read) if each.model.name == step.model]
    made = [each.model.created_at for each in known if "recalibrated" not in each.model.lineage]
    latest = max(made, default=None)
    if short or (latest is not None and newest <= latest):
        return Outcome(
            step=step.name,
            model=step.model,
            state="skipped",
            reason=short or "nothing came in since the latest version was made",
        )
    model = step.learner()(run.database, run.lake, run.home, now=run.now, seed=run.seed, origins=tuple(run.origins))
    waiting = [each.model for each in known if each.verdict is not None and each.verdict.get("waits")]
    verdict = _admit(run, model)
    if not verdict.promoted and waiting:
        _admit(run, max(waiting, key=lambda each: each.created_at))
    return Outcome(
        step=step.name,
        model=model.name,
        state="trained",
        version=model.version,
        evaluation=str(model.evaluation.get("sentence", "")),
        reason=verdict.reason,
        promotion=verdict,
    )


def _admit(run: Retraining, model: ModelVersion) -> Promotion:
    """Judge a version, keep the verdict, and put it in service if it may."""
    verdict = judge(run.database, run.lake, run.home, model=model, now=run.now)
    with run.database.write() as write:
        registry.note_verdict(write, model.name, model.version, verdict.document())
    if verdict.promoted:
        run.adopt(model, verdict)
    return verdict
