"""Full-text search over a catalogue: best first, harmless to whatever is typed, mended as the catalogue changes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring_core.candidates.search import FullText
from storage.records.items import Item

ITEMS = (
    Item(item_id="a", title="Red coat", text="warm wool"),
    Item(item_id="b", title="Blue hat", tags=("coat rack",)),
    Item(item_id="c", title="Scarf", text="a coat for the neck", attributes={"brand": "Müller"}),
    Item(item_id="d", title="Coats and coatings"),
    Item(item_id="e", title="Boot", attributes={"brand": "Acme", "price": 5.0}),
)
ALL = np.ones(len(ITEMS), dtype=np.bool_)
TEXTS = FullText(ITEMS)


def found(query: str, texts: FullText = TEXTS, allowed: np.ndarray = ALL, quota: int = 10) -> str:
    return "".join(ITEMS[place].item_id if place < len(ITEMS) else "+" for place in texts.find(query, allowed, quota))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("wool", "a"),
        ("WOOL warm", "a"),
        ("hats", "b"),
        ("muller", "c"),
        ("acme boots", "e"),
        ("", ""),
        ("?!", ""),
        ("nothing", ""),
        ("sca", "c"),
    ],
)
def test_words_are_found_whatever_their_case_form_and_accents(query: str, expected: str) -> None:
    assert found(query) == expected


def test_a_title_counts_more_than_a_tag_and_a_tag_more_than_text() -> None:
    places = found("coat")
    assert set(places) == set("abcd")
    assert places.index("a") < places.index("b") < places.index("c")


def test_where_no_item_has_all_words_those_with_any_follow() -> None:
    assert found("blue boot") in ("be", "eb")
    assert found("red coat")[0] == "a" and set(found("red coat")) == set("abcd")


def test_only_allowed_items_up_to_the_quota() -> None:
    allowed = ALL.copy()
    allowed[0] = False
    assert "a" not in found("coat", allowed=allowed)
    assert found("coat", quota=2) == found("coat")[:2]


@given(st.text(max_size=60))
def test_nothing_that_is_typed_is_an_operator(query: str) -> None:
    places = TEXTS.find(query, ALL, 10)
    assert len(set(places.tolist())) == len(places) <= len(ITEMS)


@pytest.mark.parametrize(
    "query", ['" OR 1', "title:coat", "NEAR(a b)", "coat*", "-coat", "a AND b OR NOT c", "{title}"]
)
def test_operators_of_the_index_are_words(query: str) -> None:
    TEXTS.find(query, ALL, 10)


WORDS = st.lists(st.sampled_from(["red", "coat", "coats", "hat", "wool", "neck"]), max_size=5).map(" ".join)
KIND = st.builds(lambda title, text: Item(item_id="x", title=title, text=text), WORDS, WORDS)


@given(
    items=st.lists(KIND, min_size=1, max_size=6),
    changes=st.lists(st.tuples(st.integers(0, 8), KIND), max_size=4),
    query=WORDS,
    made=st.booleans(),
)
def test_a_later_catalogue_is_searched_as_if_made_anew(
    items: list[Item], changes: list[tuple[int, Item]], query: str, made: bool
) -> None:
    """A replay builds the past index at once; the engine mended it change by change."""
    before, later = FullText(tuple(items)), list(items)
    if made:
        before.prepare()
    places = []
    for wanted, item in changes:
        place = min(wanted, len(later))
        later[place : place + 1] = [item]
        places.append(place)
    after, anew = before.advanced(tuple(later), sorted(set(places))), FullText(tuple(later))
    assert not after.known(query)
    allowed = np.ones(len(later), dtype=np.bool_)
    assert after.find(query, allowed, 10).tolist() == anew.find(query, allowed, 10).tolist()
    old = np.ones(len(items), dtype=np.bool_)
    assert before.find(query, old, 10).tolist() == FullText(tuple(items)).find(query, old, 10).tolist()
