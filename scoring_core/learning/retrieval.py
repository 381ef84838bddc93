"""How well a retriever finds what people touch next, and its way from the lake into the registry."""

import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlmodel import select

from scoring_core.candidates.protocol import Ordinals, Retriever
from scoring_core.learning.comparisons import bootstrap_mean, states_at
from scoring_core.learning.interactions import Interactions, load_interactions
from scoring_core.live import Shelf
from scoring_core.models import LOADERS, Arrays, digest_of, write_arrays
from scoring_core.scorers.protocol import Floats
from scoring_core.shelf import build_shelf
from storage import catalogue, registry
from storage.database import Database
from storage.errors import Invalid
from storage.lake import Lake
from storage.records.clock import iso, moment
from storage.records.models import ModelKind, ModelVersion
from storage.records.subjects import UserState
from storage.tables.observed import LakeFileRow

SLOTS = 20
HELD_OUT = 0.1
"""The last share of the interactions, by time, that no retriever is trained on."""
MOST_PEOPLE = 5_000
FEWEST_TOUCHES = 100
CHOOSING = 0.2
"""The share of the interactions, the last by time, on which settings are chosen."""
MOST_CHOOSING = 1_500
FEWEST_CHOOSING = 20
"""With fewer people to choose on, settings stay as they are."""

Rank = Callable[[int, NDArray[np.bool_]], Ordinals]
"""Gives a person's best items among those allowed, at most ``SLOTS``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """What a training gives: the arrays of the model's file, and its parameters."""

    arrays: Arrays
    parameters: Mapping[str, Any]


Learn = Callable[[Interactions, Shelf, int], Trained]
"""Learns from interactions before a moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """People known before a cut, what they had touched, and what they touched for the first time after it.

    ``buyers`` counts the people who touched each item before the cut; only items that somebody had touched can be
    ``wanted``.
    """

    at: int
    people: tuple[int, ...]
    states: Mapping[int, UserState]
    touched: Mapping[int, Ordinals]
    wanted: Mapping[int, Ordinals]
    buyers: NDArray[np.int64]

    def allowed(self, person: int) -> NDArray[np.bool_]:
        """Return the items that somebody had touched before the cut, and this person had not."""
        flags = self.buyers > 0
        flags[self.touched[person]] = False
        return flags

    def found(self, rank: Rank) -> list[Ordinals]:
        """Return what everyone is given."""
        return [rank(each, self.allowed(each)) for each in self.people]

    def recalls(self, found: Sequence[Ordinals], *, slots: int = SLOTS) -> Floats:
        """Return each person's recall: wanted items found among ``slots``, over the most that could be."""
        pairs = zip(self.people, found, strict=True)
        return np.array([recall(each[:slots], self.wanted[person], slots) for person, each in pairs])

    def retrieved(self, retriever: Retriever) -> Rank:
        """Return how a retriever ranks, asked as a request asks it."""
        return lambda person, allowed: retriever.nearest(self.states[person], allowed, SLOTS)


def next_touches(past: Interactions, later: Interactions, *, at: int, most_people: int | None = None) -> Next:
    """Return what the people of ``past`` touched for the first time in ``later``. Pairs of person and item that both
    slices have do not count, nor do items that nobody had touched; beyond ``most_people`` every n-th person is kept."""
    before = _pairs(past.where((past.roles & 6) > 0))
    after = _pairs(later.where((later.roles & 6) > 0))
    buyers = np.bincount(before % past.items, minlength=past.items) if len(before) else np.zeros(past.items, int)
    fresh = np.setdiff1d(after, before)
    fresh = fresh[np.isin(fresh // past.items, before // past.items) & (buyers[fresh % past.items] > 0)]
    people = np.unique(fresh // past.items)
    if most_people is not None and len(people) > most_people:
        people = people[np.linspace(0, len(people) - 1, most_people).astype(np.int64)]
    chosen = people.tolist()
    touched, wanted = _by_person(before, past.items, chosen), _by_person(fresh, past.items, chosen)
    return Next(
        at=at,
        people=tuple(chosen),
        states=states_at(past, chosen, at),
        touched=touched,
        wanted=wanted,
        buyers=buyers,
    )


def last_slice(past: Interactions, *, cut: int | None = None) -> tuple[Interactions, Next] | None:
    """Return what to learn from and what to look for when settings are chosen within ``past``: what came before ``cut``
    (else before the last ``CHOOSING``), and the new touches after it; None where too few people have any."""
    if not len(past):
        return None
    cut = int(past.at[int(len(past) * (1.0 - CHOOSING))]) if cut is None else cut
    known, later = past.split(cut)
    coming = next_touches(known, later, at=cut, most_people=MOST_CHOOSING) if len(known) else None
    return (known, coming) if coming is not None and len(coming.people) >= FEWEST_CHOOSING else None


def recall(found: Ordinals, wanted: Ordinals, slots: int) -> float:
    """Return the share of wanted items that were found, of as many as ``slots`` can hold.

    >>> recall(np.array([3, 4]), np.array([4, 5, 6]), 2)
    0.5
    """
    return float(np.isin(found, wanted).sum()) / min(slots, len(wanted))


def by_popularity(counts: NDArray[Any]) -> Rank:
    """Return the rule that gives everyone the items most touched."""
    order = np.argsort(-counts, kind="stable")
    return lambda _person, allowed: order[allowed[order]][:SLOTS]


def train_retriever(
    database: Database,
    lake: Lake,
    home: Path,
    *,
    kind: ModelKind,
    name: str,
    now: int,
    seed: int,
    origins: Sequence[str],
    learn: Learn,
    fewest: int = FEWEST_TOUCHES,
) -> ModelVersion:
    """Train on all but the last slice of the lake's interactions, evaluate on that slice, write and register.

    ``fewest`` interactions are needed; what learns from the catalogue itself needs none.

    Raises
    ------
    Invalid
        If there is too little to learn from.
    """
    with database.read() as read:
        shelf = build_shelf(catalogue.load(read))
        rows = read.all(select(LakeFileRow).where(LakeFileRow.kind == "events").order_by(LakeFileRow.path))
    known = load_interactions(database, lake, shelf=shelf, now=now, origins=origins)
    if len(known) < fewest:
        raise Invalid(
            f"too little to learn from: {len(known):,} interactions of people with items, of origin "
            f"{', '.join(origins)}; {fewest} are the least. Import data or wait for traffic"
        )
    cut = int(known.at[int(len(known) * (1.0 - HELD_OUT))]) if len(known) else now
    past, later = known.split(cut)
    if not len(past) and fewest:
        raise Invalid("too little to learn from: everything happened in one moment")
    trained = learn(past, shelf, cut)
    number = f"{moment(now):%Y%m%dT%H%M%S}.{now % 1_000_000:06d}Z"
    draft = ModelVersion(
        name=name,
        version=number,
        kind=kind,
        created_at=now,
        path=f"models/{name}/{number}",
        digest=digest_of(trained.arrays),
        parameters=trained.parameters,
        lineage={
            "files": [
                {"path": row.path, "sha256": row.sha256, "rows": row.rows} for row in rows if row.origin in origins
            ],
            "origins": list(origins),
            "seed": seed,
            "trained": _period(past),
            "held_out": _period(later),
            "code": {
                "python": platform.python_version(),
                **{library: version(library) for library in ("fairlead", "implicit", "numpy", "scipy")},
            },
        },
    )
    write_arrays(draft, home, trained.arrays)
    module, _, load = LOADERS[kind].partition(":")
    retriever: Retriever = getattr(import_module(module), load)(draft, home).on(shelf)
    model = replace(draft, evaluation=evaluated(retriever, past, later, at=cut, seed=seed))
    with database.write() as write:
        registry.register(write, model)
    return model


def evaluated(
    retriever: Retriever, past: Interactions, later: Interactions, *, at: int, seed: int
) -> Mapping[str, Any]:
    """Say whether a retriever finds more of what people touch next than popularity does: recall@20 by person, the
    difference with a 95 % bootstrap interval over people."""
    coming = next_touches(past, later, at=at, most_people=MOST_PEOPLE)
    if not coming.people:
        return {
            "metric": f"recall@{SLOTS}",
            "rival": "popularity",
            "people": 0,
            "verdict": "unknown",
            "sentence": "Not compared with popularity: nobody known before touched something new in the last slice.",
        }
    ours = coming.recalls(coming.found(coming.retrieved(retriever)))
    rival = coming.recalls(coming.found(by_popularity(coming.buyers)))
    rng = np.random.Generator(np.random.PCG64(seed))
    low, high = bootstrap_mean(ours - rival, rng)
    value_low, value_high = bootstrap_mean(ours, rng)
    verdict = "better" if low > 0 else "worse" if high < 0 else "no_better"
    said = {"better": "Better than", "worse": "Worse than", "no_better": "Not shown to be better than"}[verdict]
    difference = float((ours - rival).mean())
    return {
        "metric": f"recall@{SLOTS}",
        "rival": "popularity",
        "people": len(coming.people),
        "model": float(ours.mean()),
        "model_low": value_low,
        "model_high": value_high,
        "rival_value": float(rival.mean()),
        "difference": difference,
        "difference_low": low,
        "difference_high": high,
        "verdict": verdict,
        "sentence": f"{said} popularity on the next slice of time: it finds {ours.mean():.1%} of what people touch for "
        f"the first time among {SLOTS} items, popularity {rival.mean():.1%}; difference {difference:+.1%} "
        f"[{low:+.1%}, {high:+.1%}], {len(coming.people):,} people.",
    }


def _pairs(known: Interactions) -> NDArray[np.int64]:
    return np.unique(known.person * max(known.items, 1) + known.ordinal)


def _by_person(pairs: NDArray[np.int64], items: int, people: Sequence[int]) -> dict[int, Ordinals]:
    first = np.searchsorted(pairs, np.array(people, dtype=np.int64) * items)
    last = np.searchsorted(pairs, (np.array(people, dtype=np.int64) + 1) * items)
    return {
        person: pairs[start:end] - person * items
        for person, start, end in zip(people, first.tolist(), last.tolist(), strict=True)
    }


def _period(known: Interactions) -> Mapping[str, Any]:
    there = len(known) > 0
    return {
        "rows": len(known),
        "people": len(np.unique(known.person)),
        "items": len(np.unique(known.ordinal)),
        "from": iso(int(known.at[0])) if there else None,
        "to": iso(int(known.at[-1])) if there else None,
    }
