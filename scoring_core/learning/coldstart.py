"""Cold start on the UCI Online Retail data: who is new and answered a style quiz, and items that no training saw.

A customer is new whose first invoice came at or after the cut (2011-06-01). Their quiz are the words of that invoice:
the 20 with the highest count × rarity, stated as a style quiz states interests; nothing else is known of them. Wanted
is what they bought later and not on that invoice; offered is what anybody had bought before the cut. A fifth of the
items, drawn by the seed, is held out of the training: neither their words nor their sales are learned from.

``content`` is ``ContentRetriever``, asked as a request asks it; ``words`` the same without the expectation of its words
(lift 0). ``popularity`` counts the customers of an item before the cut, ``recent_popularity`` fades them with a
half-life of 30 days; ``random`` draws. ``unseen`` offers the held-out items alone, as if they were new: popularity
knows no sale of them, so that it draws; ``informed_popularity`` and ``informed_recent_popularity`` are told their sales
before the cut all the same, which of a new item nobody knows. recall@20 by customer, percentile bootstrap over
customers, differences paired. The lift was chosen on the customers who were new between 2011-03-01 and the cut.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring_core.candidates.content import ContentRetriever
from scoring_core.candidates.protocol import Ordinals
from scoring_core.candidates.side_information import told
from scoring_core.features.interests import token
from scoring_core.learning.comparisons import bootstrap_mean
from scoring_core.learning.content import Content, content_of
from scoring_core.learning.retail import Retail, day, read_retail
from scoring_core.learning.retrieval import SLOTS, recall
from scoring_core.live import Shelf
from scoring_core.scorers.protocol import Floats
from scoring_core.shelf import build_shelf
from storage.records.clock import SECOND, iso
from storage.records.events import ITEM_STATS
from storage.records.items import Catalogue, Item
from storage.records.subjects import INTEREST_DTYPE, MOST_INTERESTS, SOURCES, USER_DIMENSIONS, UserState

CHOOSING, CUT, END = day(2011, 3, 1), day(2011, 6, 1), day(2012, 1, 1)
HELD_OUT = 0.2
LIFTS = (0.0, 0.05, 0.1, 0.2)

Flags = NDArray[np.bool_]
Say = Callable[[str], None]
Ranked = Callable[[int, Flags], Ordinals]


@dataclass(frozen=True, slots=True, kw_only=True)
class Newcomer:
    """Someone without a past: what their first invoice held, what they bought later."""

    first: Ordinals
    later: Ordinals
    state: UserState


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A cut: what may be offered, the newcomers, what learned, and what was sold until then."""

    offered: Flags
    people: tuple[Newcomer, ...]
    retriever: ContentRetriever
    popularity: Floats
    recent: Floats

    def recalls(self, rank: Ranked, among: Flags) -> Floats:
        """Return recall@20 of every newcomer; NaN for who wanted none of ``among``."""
        found = np.full(len(self.people), np.nan)
        for place, person in enumerate(self.people):
            allowed = self.offered & among
            allowed[person.first] = False
            wanted = person.later[allowed[person.later]]
            if len(wanted):
                found[place] = recall(rank(place, allowed)[:SLOTS], wanted, SLOTS)
        return found

    def content(self, lift: float) -> Ranked:
        """Return how content ranks."""
        retriever = replace(self.retriever, lift=lift)
        return lambda place, allowed: retriever.nearest(self.people[place].state, allowed, SLOTS)


def coldstart(path: Path, *, seed: int = 1, say: Say = lambda _text: None) -> Mapping[str, Any]:
    """Run the benchmark on the data set at ``path``; ``say`` is told how far it is.

    Raises
    ------
    NotFound, Invalid
        If the file is not the data set.
    """
    retail = read_retail(path)
    rng = np.random.Generator(np.random.PCG64(seed))
    held_out = np.zeros(retail.known.items, dtype=np.bool_)
    held_out[rng.permutation(len(held_out))[: int(HELD_OUT * len(held_out))]] = True
    choosing = opening(retail, CHOOSING, CUT, held_out=held_out)
    everything = np.ones(retail.known.items, dtype=np.bool_)
    tried = {lift: float(np.nanmean(choosing.recalls(choosing.content(lift), everything))) for lift in LIFTS}
    lift = max(tried, key=lambda each: tried[each])
    say(f"lift {lift:g}, chosen on {len(choosing.people):,} customers; measuring")
    tested = opening(retail, CUT, END, held_out=held_out)
    ways = {
        "content": tested.content(lift),
        "words": tested.content(0.0),
        "popularity": _by(tested.popularity),
        "recent_popularity": _by(tested.recent),
        "random": _at_random(seed),
    }
    of_new = {
        **{name: ways[name] for name in ("content", "words")},
        "popularity": ways["random"],
        **{f"informed_{name}": ways[name] for name in ("popularity", "recent_popularity")},
    }
    return {
        **_figures(tested, ways, everything, rng),
        "unseen": _figures(tested, of_new, held_out, rng),
        "newcomers": len(tested.people),
        "held_out_items": int(held_out.sum()),
        "cut": iso(CUT),
        "chosen": {"lift": lift, "recall": tried, "customers": len(choosing.people)},
        "seed": seed,
    }


def opening(retail: Retail, cut: int, end: int, *, held_out: Flags) -> Opening:
    """Return what there is at a cut; content learns from what was sold before it, but for the items held out."""
    known = retail.known
    past, _ = known.split(cut)
    shelf = retail.shelf(cut)
    seen = past.where(~held_out[past.ordinal])
    told_of = tuple(
        Item(item_id=item.item_id, hidden=True) if out or item.hidden else item
        for item, out in zip(shelf.catalogue.items, held_out.tolist(), strict=True)
    )
    trained = content_of(seen, build_shelf(Catalogue(version=1, items=told_of)), how=Content())
    retriever = ContentRetriever(
        name="content",
        version="1",
        digest="",
        tokens=trained.arrays["tokens"],
        rarity=trained.arrays["rarity"],
        expected=trained.arrays["expected"],
        lift=float(trained.parameters["lift"]),
        half_life_s=np.inf,
    ).on(shelf)
    statistics = retail.statistics(cut).values
    popularity = np.nan_to_num(statistics[:, ITEM_STATS.index("popularity")])
    return Opening(
        offered=popularity > 0,
        people=_newcomers(retail, cut, end, retriever=retriever, descriptions=_described(retail, shelf)),
        retriever=retriever,
        popularity=popularity,
        recent=np.nan_to_num(statistics[:, ITEM_STATS.index("trend")]),
    )


def quiz(words: Sequence[str], retriever: ContentRetriever, *, at: int) -> UserState:
    """Return who answered a quiz with these words, and of whom nothing else is known."""
    rarity = dict(zip(retriever.tokens.tolist(), retriever.rarity.tolist(), strict=True))
    counted = Counter(token(word) for word in words)
    best = sorted((-count * rarity[number], number) for number, count in counted.items() if number in rarity)
    source, seconds = SOURCES.index("quiz"), at // SECOND
    rows = [(number, 0.0, 1.0, seconds, 0, source) for _, number in best[:MOST_INTERESTS]]
    return UserState(
        vector=bytes(4 * USER_DIMENSIONS),
        updated_at=at,
        events=0,
        interests=np.array(rows, dtype=INTEREST_DTYPE).tobytes(),
    )


def _described(retail: Retail, shelf: Shelf) -> list[list[str]]:
    """Return the words of each item's description, whether the shelf tells them yet or not."""
    return [
        [word for word in told(Item(item_id=item.item_id, title=title)) if word.startswith("word=")]
        for item, title in zip(shelf.catalogue.items, retail.descriptions, strict=True)
    ]


def _newcomers(
    retail: Retail, cut: int, end: int, *, retriever: ContentRetriever, descriptions: Sequence[Sequence[str]]
) -> tuple[Newcomer, ...]:
    known, _ = retail.known.split(end)
    order = np.argsort(known.person, kind="stable")
    found = []
    for rows in np.split(order, np.flatnonzero(np.diff(known.person[order])) + 1):
        began = int(known.at[rows[0]])
        if began < cut:
            continue
        at_first = known.at[rows] == began
        first = np.unique(known.ordinal[rows[at_first]])
        later = np.setdiff1d(known.ordinal[rows[~at_first]], first)
        if len(later):
            state = quiz([word for place in first.tolist() for word in descriptions[place]], retriever, at=began)
            found.append(Newcomer(first=first, later=later, state=state))
    return tuple(found)


def _figures(tested: Opening, ways: Mapping[str, Ranked], among: Flags, rng: np.random.Generator) -> Mapping[str, Any]:
    recalls = {name: tested.recalls(rank, among) for name, rank in ways.items()}
    there = np.isfinite(recalls["content"])
    told_of = {name: _figure(values[there], rng) for name, values in recalls.items()}
    differences = {
        f"content-{rival}": _figure((recalls["content"] - recalls[rival])[there], rng)
        for rival in ways
        if rival != "content"
    }
    return {**told_of, "differences": differences, "customers": int(there.sum())}


def _figure(values: Floats, rng: np.random.Generator) -> Mapping[str, Any]:
    low, high = bootstrap_mean(values, rng)
    return {"metric": f"recall@{SLOTS}", "value": float(values.mean()), "low": low, "high": high}


def _by(counts: Floats) -> Ranked:
    order = np.argsort(-counts, kind="stable")
    return lambda _place, allowed: order[allowed[order]][:SLOTS]


def _at_random(seed: int) -> Ranked:
    def rank(place: int, allowed: Flags) -> Ordinals:
        places = np.flatnonzero(allowed)
        return np.random.Generator(np.random.PCG64([seed, place])).permutation(places)[:SLOTS]

    return rank
