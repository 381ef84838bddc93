"""Columns answer as the condition language does, item by item, and a grown catalogue as one built anew."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring_core.columns import Columns, item_facts
from scoring_core.conditions import compile_condition
from scoring_core.shelf import advanced, build_shelf, differing
from storage.records.items import Catalogue, Item

VALUES = st.one_of(st.sampled_from(["a", "b", ""]), st.integers(0, 3), st.booleans(), st.sampled_from([0.5, 2.0]))
NAMES = st.sampled_from(["colour", "size", "kind", "tags", "item_id", "stock"])


def items(count: int) -> st.SearchStrategy[list[Item]]:
    return st.lists(
        st.builds(
            Item,
            item_id=st.just(""),
            kind=st.sampled_from(["item", "article"]),
            title=st.sampled_from(["", "red shoe", "blue hat"]),
            tags=st.sampled_from([(), ("new",), ("new", "sale")]),
            attributes=st.dictionaries(st.sampled_from(["colour", "size", "kind"]), VALUES, max_size=3),
            hidden=st.booleans(),
            stock=st.sampled_from([None, 0, 3]),
            expires_at=st.sampled_from([None, 5, 9]),
            vectors=st.sampled_from([{}, {"image": (1.0, 0.0)}, {"image": (0.5, 2.0)}]),
        ),
        min_size=1,
        max_size=count,
    )


def numbered(found: list[Item], first: int = 0) -> tuple[Item, ...]:
    from dataclasses import replace

    return tuple(replace(item, item_id=f"i{first + place}") for place, item in enumerate(found))


LEAF = st.one_of(
    VALUES,
    st.builds(lambda name, value: {name: value}, st.sampled_from(["$gt", "$lte", "$ne", "$eq"]), VALUES),
    st.builds(lambda values: {"$in": values}, st.lists(VALUES, max_size=3)),
    st.builds(lambda on: {"$exists": on}, st.booleans()),
    st.builds(lambda value: {"$elemMatch": {"$eq": value}}, st.sampled_from(["new", "sale"])),
    st.builds(lambda value: {"$not": {"$gt": value}}, st.integers(0, 3)),
)
CONDITIONS = st.recursive(
    st.dictionaries(st.one_of(NAMES, st.just("colour.deep")), LEAF, max_size=3),
    lambda inner: st.one_of(
        st.builds(
            lambda name, parts: {name: parts}, st.sampled_from(["$and", "$or", "$nor"]), st.lists(inner, max_size=3)
        ),
        st.builds(lambda part: {"$not": part}, inner),
        st.builds(lambda part: {"$and": part}, inner),
    ),
    max_leaves=6,
)


@given(items(8), CONDITIONS)
@settings(max_examples=300)
def test_a_mask_says_what_the_condition_says_of_each_item(found: list[Item], condition: dict[str, object]) -> None:
    listed = numbered(found)
    holds = compile_condition(condition)
    assert Columns(listed).mask(condition).tolist() == [holds(item_facts(item)) for item in listed]


@given(items(6), items(4), CONDITIONS, st.data())
@settings(max_examples=150)
def test_a_shelf_that_advanced_equals_one_built_anew(
    before: list[Item], others: list[Item], condition: dict[str, object], data: st.DataObject
) -> None:
    first = numbered(before)
    shelf = build_shelf(Catalogue(version=1, items=first))
    shelf.columns.mask(condition)
    shelf.columns.column("colour")
    shelf.texts.find("red", shelf.servable, 5)
    shelf.spaces.space("image")
    places = data.draw(st.lists(st.integers(0, len(first) - 1), unique=True, max_size=len(others)))
    new = others[len(places) :]
    changed = [(place, numbered([others[at]], place)[0]) for at, place in enumerate(places)]
    changed += [(len(first) + at, item) for at, item in enumerate(numbered(new, len(first)))]
    after = advanced(shelf, 2, changed)
    listed = list(first) + [None] * len(new)  # type: ignore[list-item]
    for place, item in changed:
        listed[place] = item
    built = build_shelf(Catalogue(version=2, items=tuple(listed)))
    assert after.catalogue == built.catalogue
    assert after.digest == built.digest
    assert after.ordinals == built.ordinals
    assert after.servable.tolist() == built.servable.tolist()
    assert (after.expires_at is None) == (built.expires_at is None)
    assert after.ends.tolist() == built.ends.tolist()
    assert after.vectors.tobytes() == built.vectors.tobytes()
    assert after.columns.mask(condition).tolist() == built.columns.mask(condition).tolist()
    everything = np.ones(len(listed), dtype=np.bool_)
    assert after.columns.facets("colour", everything) == built.columns.facets("colour", everything)
    for query in ("red", "shoe blue", "ha"):
        assert after.texts.find(query, everything, 9).tolist() == built.texts.find(query, everything, 9).tolist()
    assert after.spaces.space("image").units.tobytes() == built.spaces.space("image").units.tobytes()
    other = {place for place, item in changed if place >= len(first) or item != first[place]}
    assert set(differing(shelf, after).tolist()) >= {place for place in other if place >= len(first)}
    assert set(differing(shelf, after).tolist()) <= {place for place, _ in changed}


def test_facets_count_each_tag_by_itself_and_nothing_said_not_at_all() -> None:
    listed = (
        Item(item_id="a", tags=("new", "sale"), attributes={"brand": "x"}),
        Item(item_id="b", tags=("new",), attributes={"brand": "y"}),
        Item(item_id="c"),
    )
    columns, everything = Columns(listed), np.array([True, True, True])
    assert columns.facets("tags", everything) == (("new", 2), ("sale", 1))
    assert columns.facets("brand", np.array([False, True, True])) == (("y", 1),)


def test_kinds_are_the_record_s_own_whatever_an_attribute_is_called() -> None:
    listed = (Item(item_id="a", kind="article"), Item(item_id="b", attributes={"kind": "article"}))
    assert Columns(listed).of_kinds(("article",)).tolist() == [True, False]
    assert Columns(listed).mask({"kind": "article"}).tolist() == [True, True]


def test_masks_are_forgotten_before_they_are_too_many() -> None:
    columns = Columns((Item(item_id="a", attributes={"size": 1}),))
    for number in range(600):
        assert columns.mask({"size": number}).tolist() == [number == 1]
    assert len(columns._masks) <= 256
