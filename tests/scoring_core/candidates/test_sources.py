"""Candidate sources: each item once, only what may be shown, within the quota."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scoring_core.candidates.lists import Lists
from scoring_core.candidates.popular import most_popular
from scoring_core.candidates.sources import MOST_CANDIDATES, candidates, eligible, showable
from scoring_core.live import ItemFeatures, Shelf
from scoring_core.plan import Mask
from scoring_core.shelf import build_shelf
from storage.records.items import Catalogue, Item
from storage.records.policies import Source
from tests.scoring_core.world import NOW, catalogue, policy, request, statistics, world

SHELF = build_shelf(catalogue())
ITEMS = statistics()
BOOKS = np.arange(12) % 2 == 0


def brought(*sources: Source, names: tuple[str, ...] | None = None) -> list[int]:
    return found(names, sources, shelf=SHELF, masks=(BOOKS, None)).tolist()


def found(names: tuple[str, ...] | None, sources: tuple[Source, ...], *, shelf: Shelf, masks: tuple[Mask, ...]) -> Any:
    live = world(policy(sources=sources))
    planned = live.plan.surfaces["home"].stable
    assert planned is not None
    return candidates(
        request(candidates=names),
        planned.policy,
        {},
        shelf=shelf,
        items=ITEMS,
        user=None,
        planned=planned,
        plan=live.plan,
        masks=masks,
        now=NOW,
        lists=Lists(),
    ).ordinals


def test_sources_bring_only_what_may_be_shown_in_their_order() -> None:
    assert brought(Source(name="catalogue", quota=3)) == [0, 2, 4]
    best = sorted(range(0, 12, 2), key=lambda ordinal: -ITEMS.values[ordinal, 2])
    assert brought(Source(name="popular", quota=2)) == best[:2]
    assert brought(Source(name="popular", quota=2), Source(name="catalogue")) == list(
        dict.fromkeys([*best[:2], 0, 2, 4, 6, 8, 10])
    )
    assert brought(Source(name="caller")) == []


def test_the_callers_quota_cuts_the_callers_list() -> None:
    assert brought(Source(name="caller", quota=2), names=("i5", "i5", "i1", "i3")) == [5, 1]
    assert brought(Source(name="catalogue"), names=("i5", "i1")) == [5, 1]
    assert brought(Source(name="catalogue"), names=()) == []


def test_no_more_candidates_than_a_ranking_can_name() -> None:
    many = Catalogue(version=1, items=tuple(Item(item_id=str(number)) for number in range(MOST_CANDIDATES + 2)))
    shelf = build_shelf(many)
    names = tuple(item.item_id for item in many.items)
    assert len(found(names, (), shelf=shelf, masks=())) == MOST_CANDIDATES


def test_the_caller_s_candidates_are_filtered_by_place() -> None:
    ordinals = np.array([5, 4, 3, 2])
    assert eligible(ordinals, shelf=SHELF, masks=(BOOKS, None), now=NOW).tolist() == [1, 3]
    assert showable(SHELF, (BOOKS, ~BOOKS), NOW).any() is np.False_
    assert SHELF.servable.all()


@given(st.lists(st.integers(0, 3), min_size=12, max_size=12), st.integers(1, 14))
def test_popular_equals_a_plain_sort(popularity: list[int], quota: int) -> None:
    values = np.zeros((12, 5))
    values[:, 2] = popularity
    found = most_popular(ItemFeatures(epoch=1, values=values), BOOKS, quota).tolist()
    assert found == sorted(range(0, 12, 2), key=lambda ordinal: -popularity[ordinal])[:quota]


def test_items_younger_than_the_epoch_are_the_least_popular() -> None:
    young = ItemFeatures(epoch=1, values=np.full((3, 5), 0.5))
    assert most_popular(young, np.ones(12, dtype=np.bool_), 5).tolist() == [0, 1, 2, 3, 4]
    blank = ItemFeatures(epoch=1, values=np.full((12, 5), np.nan))
    assert most_popular(blank, np.ones(12, dtype=np.bool_), 2).tolist() == [0, 1]
