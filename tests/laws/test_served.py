"""Whatever brings a candidate, what may not be shown is never served: one suite through every source."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring_core.candidates.lists import Lists
from scoring_core.candidates.sources import BRING, Ordinals
from scoring_core.compile import RETRIEVING, compile_live
from scoring_core.decide import decide
from scoring_core.explore import seeded
from scoring_core.gate import admit
from scoring_core.live import Facts, Live, Request, Shelf
from scoring_core.shelf import advanced, build_shelf
from storage.records.clock import DAY, SECOND
from storage.records.decisions import Decision
from storage.records.items import Catalogue, Item
from storage.records.policies import (
    Exploration,
    Installation,
    Policy,
    PolicyState,
    ScorerChoice,
    Snapshot,
    Source,
    Surface,
)
from storage.records.rules import Rule
from storage.records.subjects import RECENT_DTYPE, UserState
from tests.scoring_core.world import NOW, Consent, request, statistics, user

COUNT = 12
ALL = tuple(f"i{number}" for number in range(COUNT))
SOURCES = {**{name: Source(name=name, quota=6) for name in BRING}, "caller": Source(name="caller")}
SOURCES["vectors"] = Source(name="vectors", model="image", quota=6)
SOURCES["plugin"] = Source(name="plugin", model="mine", quota=6)
SOURCES["external search"] = Source(name="search", model="theirs", quota=6)
SOURCES["cohort"] = Source(name="trending", model="mood", quota=6)


class Careless:
    """A retriever that brings everything, allowed or not."""

    name, version, digest = "careless", "1", "c"

    def on(self, shelf: Shelf) -> "Careless":
        return self

    def nearest(self, user: UserState, allowed: Any, quota: int) -> Ordinals:
        return np.arange(COUNT)

    def affinity(self, user: UserState, ordinals: Ordinals) -> Any:
        return np.zeros(len(ordinals))


def stock(marks: list[str]) -> Catalogue:
    """Items that may be shown, and such that may not, by their marks."""
    wrong: dict[str, Any] = {
        "hidden": {"hidden": True},
        "sold": {"stock": 0},
        "expired": {"expires_at": NOW},
        "kind": {"kind": "article"},
        "size": {"attributes": {"size": "XL", "price": 1.0}},
    }
    return Catalogue(
        version=3,
        items=tuple(
            Item(
                **{
                    "item_id": f"i{number}",
                    "title": "red thing",
                    "attributes": {"size": "M", "price": 1.0},
                    "vectors": {"image": (1.0, float(number))},
                    "expires_at": NOW + SECOND,
                    **wrong.get(mark, {}),
                }
            )
            for number, mark in enumerate(marks)
        ),
    )


def somebody(touched: set[int]) -> UserState:
    recent = np.array(
        [(place, 4 if place in touched else 2, NOW // SECOND - 60) for place in range(COUNT)], RECENT_DTYPE
    )
    return replace(user(), recent=recent.tobytes(), attributes={"sizes": "M|S"})


def policy(*sources: Source, **changes: Any) -> Policy:
    return Policy(
        surface="home",
        scorer=ScorerChoice(name="popular"),
        sources=sources,
        seen=("commitment",),
        match={"size": "sizes"},
        exploration=Exploration(epsilon=1.0),
        rules=tuple(
            Rule(key=f"pin{place}", action="pin", items={"item_id": f"i{place}"}, slot=place + 1) for place in range(3)
        ),
        **changes,
    )


def live(document: Policy, catalogue: Catalogue, *, lists: Lists | None = None, **snapshot: Any) -> Live:
    made = compile_live(
        Snapshot(
            **{
                "revision": 1,
                "at": NOW,
                "policies": {"home": PolicyState(key="home", surface="home", stable=1, versions={1: document})},
                "installation": Installation(surfaces={"home": Surface(key="home", item_kinds=("item",))}),
                "best_variants": {"home/": ALL},
                "trending": {"mood=calm": ALL},
                **snapshot,
            }
        ),
        Consent(),
        models={},
        shelf=build_shelf(catalogue),
        items=statistics(COUNT),
        retrievers={name: Careless() for name in RETRIEVING},
    )
    return replace(made, lists=lists if lists is not None else made.lists)


def decided(world: Live, asked: Request, person: UserState | None, *, now: int = NOW) -> Decision:
    facts = Facts(user=person, brought={"mine": ALL, "theirs": ALL})
    return decide(asked, facts, world, seeded(7), now, admission=admit(asked, world, 0))


def asking(source: str, **changes: Any) -> Request:
    named = ALL if source == "caller" else None
    return request(candidates=named, slots=COUNT, context={"mood": "calm"}, query="red", **changes)


MARKS = st.lists(st.sampled_from(["", "", "hidden", "sold", "expired", "kind", "size"]), min_size=COUNT, max_size=COUNT)


@pytest.mark.parametrize("name", SOURCES)
@given(marks=MARKS, touched=st.sets(st.integers(0, COUNT - 1), max_size=4), known=st.booleans())
@settings(max_examples=40)
def test_what_may_not_be_shown_is_never_served(name: str, marks: list[str], touched: set[int], known: bool) -> None:
    world = live(policy(SOURCES[name]), stock(marks))
    record = decided(world, asking(name), somebody(touched) if known else None)
    open_to_all = {ALL[place] for place, mark in enumerate(marks) if mark in ("", "size")}
    may = {ALL[place] for place, mark in enumerate(marks) if not mark and place not in touched}
    assert set(record.items) <= (may if known else open_to_all)
    if name in ("catalogue", "popular", "trending", "search", "caller", "plugin") and known:
        assert len(record.items) == min(len(may), 6 if name != "caller" else COUNT)
    assert sum(record.sources.values()) * 4 == len(record.candidates)


@pytest.mark.parametrize("name", SOURCES)
@given(marks=MARKS)
@settings(max_examples=15)
def test_nor_to_who_refused(name: str, marks: list[str]) -> None:
    world = replace(live(policy(SOURCES[name]), stock(marks)), consent=Consent(lease=False))
    record = decided(world, asking(name), None)
    assert record.served_by == "default"
    assert set(record.items) <= {ALL[place] for place, mark in enumerate(marks) if mark in ("", "size")}


@pytest.mark.parametrize("name", [name for name in SOURCES if name != "caller"])
def test_filters_of_the_request_hold_for_every_source(name: str) -> None:
    items = stock([""] * COUNT).items
    cheap = tuple(replace(item, attributes={"price": float(place)}) for place, item in enumerate(items))
    world = live(policy(SOURCES[name]), Catalogue(version=3, items=cheap))
    record = decided(world, asking(name, filters={"price": {"$lt": 4}}), somebody(set()))
    assert record.items
    assert set(record.items) <= {"i0", "i1", "i2", "i3"}


@pytest.mark.parametrize("name", [name for name in SOURCES if name != "caller"])
def test_a_remembered_list_never_outlives_what_it_was_made_from(name: str) -> None:
    """An item that expires, sells out or is hidden, and a policy that flips, are asked for anew at once."""
    lists = Lists()
    first = live(policy(SOURCES[name]), stock([""] * COUNT), lists=lists)
    person = somebody(set())
    before = decided(first, asking(name), person)
    again = decided(first, asking(name), person)
    assert again.items == before.items
    assert decided(first, asking(name), person, now=NOW + SECOND).items == ()
    gone = before.items[0]
    place = int(gone[1:])
    item = replace(first.shelf.catalogue.items[place], hidden=True)
    shelf = advanced(first.shelf, 4, [(place, item)])
    moved = compile_live(
        first.snapshot,
        first.consent,
        models={},
        shelf=shelf,
        items=first.items,
        retrievers=first.retrievers,
        previous=first,
    )
    assert moved.lists is lists
    assert gone not in decided(moved, asking(name), person).items
    states = {
        "home": replace(first.snapshot.policies["home"], versions={1: policy(SOURCES[name], filters={"price": 2})})
    }
    flipped = compile_live(
        replace(first.snapshot, revision=2, policies=states),
        first.consent,
        models={},
        shelf=first.shelf,
        items=first.items,
        retrievers=first.retrievers,
        previous=first,
    )
    assert decided(flipped, asking(name), person).items == ()
    refused = replace(first, consent=Consent(lease=False))
    assert decided(refused, asking(name), person).served_by == "default"


def test_lists_are_read_not_made_again_and_bounded() -> None:
    lists = Lists(most=4)
    world = live(replace(policy(SOURCES["popular"]), match={}), stock([""] * COUNT), lists=lists)
    for place in range(5):
        decided(world, asking("popular"), somebody({place}))
    assert lists.misses.value == 2, "the list, and what may be shown"
    assert lists.hits.value == 4
    for word in ("a", "b", "c", "d", "e"):
        decided(world, replace(asking("popular"), query=word), somebody(set()))
    assert len(lists) <= 4
    assert lists.gone.value > 0


@given(marks=MARKS, touched=st.sets(st.integers(0, COUNT - 1), max_size=6), quota=st.integers(1, COUNT))
@settings(max_examples=40)
def test_a_remembered_list_gives_what_one_made_for_the_person_would(
    marks: list[str], touched: set[int], quota: int
) -> None:
    """The list is longer by what can be withheld, so that the quota is met as if it were made for this person."""
    document = policy(Source(name="popular", quota=quota))
    world = live(replace(document, match={}), stock(marks))
    record = decided(world, asking("popular"), somebody(touched))
    popularity = world.items.values[:, 2]
    open_here = [p for p, mark in enumerate(marks) if mark in ("", "size") and p not in touched]
    best = sorted(open_here, key=lambda p: (-popularity[p], p))[:quota]
    assert sorted(record.items) == sorted(ALL[p] for p in best)


def test_seen_is_forgotten_after_its_days() -> None:
    document = replace(policy(SOURCES["catalogue"]), seen_days=1, match={})
    world = live(
        document, Catalogue(version=3, items=tuple(replace(i, expires_at=None) for i in stock([""] * COUNT).items))
    )
    person = somebody(set(range(COUNT)))
    assert decided(world, asking("catalogue"), person).items == ()
    assert len(decided(world, asking("catalogue"), person, now=NOW + DAY).items) == 6
