"""Challenger beside champion on the next slice of time, that neither was trained on: one comparison per kind."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring_core.candidates.protocol import Retriever
from scoring_core.learning.datasets import feature_table, load_examples
from scoring_core.learning.evaluate import compare
from scoring_core.learning.interactions import Interactions, load_interactions
from scoring_core.learning.kept import kept_retrievers
from scoring_core.learning.pasts import past_states
from scoring_core.live import Shelf
from scoring_core.models import load_model
from scoring_core.scorers.protocol import Floats
from scoring_core.shelf import build_shelf
from storage import catalogue
from storage.database import Database
from storage.errors import Unavailable
from storage.lake import Lake
from storage.records.clock import SECOND, instant
from storage.records.models import ModelKind, ModelVersion
from storage.records.subjects import MOST_RECENT, RECENT_DTYPE, USER_DIMENSIONS, UserState

SLOTS = 20
MOST_PEOPLE = 2_000
FEWEST_PEOPLE = 20
REPLICATES = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Where models are compared: the lake as of ``now``."""

    database: Database
    lake: Lake
    home: Path
    now: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How much better the challenger does (``difference`` > 0), with a 95 % interval, in ``metric``; ``margin`` is the
    loss that still counts as no worse; ``count`` are the outcomes or people looked at."""

    metric: str
    challenger: float
    champion: float
    difference: float
    low: float
    high: float
    margin: float
    count: int
    sentence: str

    def document(self) -> Mapping[str, Any]:
        """Return the plain form."""
        return asdict(self)

    @property
    def not_worse(self) -> bool:
        """Whether a loss beyond the margin is ruled out, and no loss at all is shown."""
        return self.low > -self.margin and self.high >= 0.0


def trained_until(model: ModelVersion) -> int:
    """Return the moment before which a version's training saw outcomes; its making, where the lineage does not say."""
    told = model.lineage.get("trained")
    until = told.get("to") if isinstance(told, Mapping) else None
    return model.created_at if not until else instant(datetime.fromisoformat(until))


def compare_scorers(ground: Ground, new: ModelVersion, old: ModelVersion) -> Comparison:
    """Compare how two scorers order impressions: concordance within strata, paired interval."""
    if new.digest == old.digest and new.features == old.features and "calibration_change" in new.evaluation:
        return Comparison(**new.evaluation["calibration_change"])
    shelf = _shelf(ground)
    start = max(trained_until(new), trained_until(old)) + 1
    held_out = load_examples(
        ground.database,
        ground.lake,
        shelf=shelf,
        now=ground.now,
        origins=_origins(new),
        start=start,
        pasts=dict(past_states(ground.database, ground.lake, shelf=shelf, start=start)),
    )
    if not len(held_out):
        raise Unavailable("no impression is younger than both trainings")

    kept = kept_retrievers(ground.database, ground.home, shelf)

    def scores(model: ModelVersion) -> Floats:
        loaded = load_model(model, ground.home)
        table = feature_table(held_out, model.features, categories=model.categories, shelf=shelf, kept=kept)
        values: Floats = loaded.scorer.score(table).values
        return values

    found = compare(held_out, scores(new), scores(old), against=f"version {old.version}")
    if found.difference is None or found.model is None or found.rival_value is None:
        raise Unavailable(found.sentence)
    return Comparison(
        metric="concordance",
        challenger=found.model,
        champion=found.rival_value,
        difference=found.difference,
        low=found.difference_low or 0.0,
        high=found.difference_high or 0.0,
        margin=0.01,
        count=found.clicks,
        sentence=found.sentence,
    )


def compare_retrievers(ground: Ground, new: ModelVersion, old: ModelVersion) -> Comparison:
    """Compare what two retrievers find of the items that people touched for the first time in the slice: NDCG@20 by
    person, paired bootstrap over people.

    References
    ----------
    Järvelin, Kekäläinen, Cumulated gain-based evaluation of IR techniques, TOIS 2002.
    """
    shelf = _shelf(ground)
    cut = max(trained_until(new), trained_until(old)) + 1
    known = load_interactions(ground.database, ground.lake, shelf=shelf, now=ground.now, origins=_origins(new))
    past, later = known.split(cut)
    wanted = _first_touches(past, later)
    if len(wanted) < FEWEST_PEOPLE:
        raise Unavailable(f"only {len(wanted)} people touched something new since both trainings")
    rng = np.random.Generator(np.random.PCG64(0))
    people = sorted(wanted)
    if len(people) > MOST_PEOPLE:
        people = sorted(rng.choice(people, MOST_PEOPLE, replace=False).tolist())
    states, seen = states_at(past, people, cut), _touched(past)
    gains = np.array(
        [
            [
                ndcg(_found(each, states[person], seen.get(person), len(shelf.catalogue.items)), wanted[person])
                for person in people
            ]
            for each in (load_model(model, ground.home).on(shelf) for model in (new, old))
        ]
    )
    paired = gains[0] - gains[1]
    low, high = bootstrap_mean(paired, rng)
    challenger, champion = (float(each) for each in gains.mean(axis=1))
    return Comparison(
        metric=f"NDCG@{SLOTS}",
        challenger=challenger,
        champion=champion,
        difference=challenger - champion,
        low=low,
        high=high,
        margin=0.05 * champion,
        count=len(people),
        sentence=f"NDCG@{SLOTS} {challenger:.4f} against {champion:.4f} of version {old.version}, difference "
        f"{challenger - champion:+.4f} [{low:+.4f}, {high:+.4f}], {len(people):,} people.",
    )


def compare_people(ground: Ground, new: ModelVersion, old: ModelVersion) -> Comparison:
    """Compare the loss of two models of people on the people of the slice, paired bootstrap.

    ``scoring_core.learning.losses:losses`` gives the loss per person of a version, on what came after a moment.
    """
    losses: Callable[..., Floats] = import_module("scoring_core.learning.losses").losses
    start = max(trained_until(new), trained_until(old)) + 1
    ours, theirs = (
        losses(ground.database, ground.lake, ground.home, model=model, now=ground.now, start=start)
        for model in (new, old)
    )
    if len(ours) != len(theirs) or len(ours) < FEWEST_PEOPLE:
        raise Unavailable(f"only {min(len(ours), len(theirs))} people have an outcome since both trainings")
    paired = theirs - ours
    low, high = bootstrap_mean(paired, np.random.Generator(np.random.PCG64(0)))
    difference = float(paired.mean())
    metric = "absolute error" if new.parameters.get("task") == "value" else "log loss"
    return Comparison(
        metric=metric,
        challenger=float(ours.mean()),
        champion=float(theirs.mean()),
        difference=difference,
        low=low,
        high=high,
        margin=0.02 * float(theirs.mean()),
        count=len(paired),
        sentence=f"{metric.capitalize()} {ours.mean():.4f} against {theirs.mean():.4f} of version {old.version}; "
        f"better by {difference:+.4f} [{low:+.4f}, {high:+.4f}], {len(paired):,} people.",
    )


COMPARISONS: Mapping[ModelKind, Callable[[Ground, ModelVersion, ModelVersion], Comparison]] = {
    "gbdt": compare_scorers,
    "linear_bandit": compare_scorers,
    "factors": compare_retrievers,
    "hybrid": compare_retrievers,
    "content": compare_retrievers,
    "sequences": compare_retrievers,
    "person": compare_people,
}
"""How two versions of a kind are compared. Each raises ``Unavailable`` where they cannot be."""


def states_at(past: Interactions, people: list[int], at: int) -> dict[int, UserState]:
    """Return what was known of each person from interactions alone: the latest items, each once, the latest last."""
    chosen = past.where(np.isin(past.person, people))
    order = np.argsort(chosen.person, kind="stable")
    bounds = np.flatnonzero(np.diff(chosen.person[order], prepend=-1))
    nothing = np.zeros(USER_DIMENSIONS, dtype="<f4").tobytes()
    states = {person: UserState(vector=nothing, updated_at=at, events=0) for person in people}
    for rows in np.split(order, bounds[1:]) if len(order) else []:
        last: dict[int, tuple[int, int]] = {}
        for row in rows.tolist():
            ordinal = int(chosen.ordinal[row])
            roles, _ = last.pop(ordinal, (0, 0))
            last[ordinal] = (roles | int(chosen.roles[row]), int(chosen.at[row]) // SECOND)
        recent = np.array(
            [(ordinal, roles, when) for ordinal, (roles, when) in last.items()][-MOST_RECENT:], dtype=RECENT_DTYPE
        )
        person = int(chosen.person[rows[0]])
        states[person] = UserState(vector=nothing, updated_at=at, events=len(rows), recent=recent.tobytes())
    return states


def ndcg(found: NDArray[np.int64], relevant: set[int]) -> float:
    """Return the normalised discounted gain of a list: 1 / log2(1 + rank) for each relevant item.

    >>> ndcg(np.array([7, 3]), {3}), ndcg(np.array([3]), {3})
    (0.6309297535714575, 1.0)
    """
    gain = sum(1.0 / np.log2(rank + 2.0) for rank, ordinal in enumerate(found.tolist()) if ordinal in relevant)
    best = sum(1.0 / np.log2(rank + 2.0) for rank in range(min(len(relevant), SLOTS)))
    return float(gain / best) if best else 0.0


def bootstrap_mean(values: Floats, rng: np.random.Generator) -> tuple[float, float]:
    """Return the ends of the 95 % percentile interval of a mean."""
    equal = np.full(len(values), 1.0 / len(values))
    means = rng.multinomial(len(values), equal, size=REPLICATES) @ values / len(values)
    low, high = np.percentile(means, (2.5, 97.5))
    return float(low), float(high)


def _shelf(ground: Ground) -> Shelf:
    with ground.database.read() as read:
        return build_shelf(catalogue.load(read))


def _origins(model: ModelVersion) -> tuple[str, ...]:
    return tuple(model.lineage.get("origins", ("live", "imported")))


def _touched(known: Interactions) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for person, ordinal in zip(known.person.tolist(), known.ordinal.tolist(), strict=True):
        found.setdefault(person, set()).add(ordinal)
    return found


def _first_touches(past: Interactions, later: Interactions) -> dict[int, set[int]]:
    """Return per person known before what they touched in the slice and never before."""
    before, after = _touched(past), _touched(later.where(later.weight > 0.0))
    fresh = {person: items - before[person] for person, items in after.items() if person in before}
    return {person: items for person, items in fresh.items() if items}


def _found(retriever: Retriever, state: UserState, seen: set[int] | None, items: int) -> NDArray[np.int64]:
    allowed = np.ones(items, dtype=np.bool_)
    allowed[list(seen or ())] = False
    return retriever.nearest(state, allowed, SLOTS)
