"""Content placed on a catalogue that changes is content placed on it at once; what words lead one to expect."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring_core.candidates.content import ContentRetriever
from scoring_core.learning.content import Content, content_of
from scoring_core.shelf import build_shelf
from storage.records.items import Catalogue, Item
from tests.tastes import ITEMS, KINDS, item, shelf, somebody, touches

ALL = np.arange(ITEMS)


def retriever(lift: float = 0.05) -> ContentRetriever:
    trained = content_of(touches(), shelf(), how=Content())
    return ContentRetriever(
        name="content",
        version="1",
        digest="d",
        tokens=trained.arrays["tokens"],
        rarity=trained.arrays["rarity"],
        expected=trained.arrays["expected"],
        lift=lift,
        half_life_s=np.inf,
    )


LEARNED = retriever()


@given(changes=st.lists(st.tuples(st.integers(0, ITEMS - 1), st.sampled_from([*KINDS, ""])), max_size=5))
@settings(max_examples=25)
def test_what_changed_is_placed_as_if_all_were_placed_at_once(changes: list[tuple[int, str]]) -> None:
    items = [item(number) for number in range(ITEMS)]
    for place, kind in changes:
        said = {"title": f"a {kind}", "tags": (kind,), "attributes": {"kind": kind}} if kind else {}
        items[place] = Item(item_id=items[place].item_id, **said)
    later = build_shelf(Catalogue(version=99, items=tuple(items)))
    mended, anew = LEARNED.on(shelf()).on(later), LEARNED.on(later)
    person = somebody(0, 5)
    assert mended.affinity(person, ALL).tobytes() == anew.affinity(person, ALL).tobytes()
    assert np.isnan(
        anew.affinity(somebody(1), np.array([p for p, k in dict(changes).items() if not k], dtype=np.int64))
    ).all()


def test_words_that_many_liked_lift_an_item_nobody_saw() -> None:
    """Those who touched no kind more than another find what is liked more: lower numbers are, whose price differs."""
    plain, lifted = retriever(0.0).on(shelf()), retriever(1.0).on(shelf())
    person = somebody(0, 1, 2, 3)
    ranks = [each.affinity(person, ALL).argsort()[::-1] for each in (plain, lifted)]
    assert ranks[0].tolist() != ranks[1].tolist()
    counts = np.bincount(touches().ordinal, minlength=ITEMS)
    liked = np.corrcoef(lifted.affinity(person, ALL) - plain.affinity(person, ALL), np.log1p(counts))[0, 1]
    assert liked > 0.0


def test_nothing_is_expected_of_words_before_anybody_touched_anything() -> None:
    trained = content_of(touches().where(np.zeros(0, dtype=np.int64)), shelf(), how=Content())
    assert not trained.arrays["expected"].any()
    silent = replace(retriever(), expected=trained.arrays["expected"]).on(shelf())
    assert np.isfinite(silent.affinity(somebody(0), ALL)).all()


@pytest.mark.parametrize("roles", [8, 1])
def test_who_only_rejected_or_saw_gets_nothing(roles: int) -> None:
    assert np.isnan(LEARNED.on(shelf()).affinity(somebody(3, roles=roles), ALL)).all()
