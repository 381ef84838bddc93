"""The feature table: names to columns, missing is NaN, rows stand alone."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring_core.features.interests import decayed, item_vector
from scoring_core.features.profile import settled
from scoring_core.features.table import FeatureTable
from scoring_core.live import ItemFeatures
from scoring_core.shelf import build_shelf, no_statistics
from storage.errors import Invalid
from storage.records.clock import SECOND
from storage.records.events import ITEM_STATS
from storage.records.items import Catalogue, Item
from storage.records.subjects import HALF_LIFE_S, USER_DIMENSIONS, UserState
from tests.scoring_core.world import CATEGORIES, FEATURES, NOW, catalogue, statistics, user

SHELF = build_shelf(catalogue())
ALL = np.arange(12)
NOBODY = no_statistics(SHELF)


def column(name: str, *, context: Any = None, known: UserState | None = None, **options: Any) -> list[float]:
    table = FeatureTable((name,), options.pop("shelf", SHELF), categories=options.pop("categories", CATEGORIES))
    rows = table.rows(options.pop("ordinals", ALL), context or {}, known, options.pop("items", NOBODY))
    assert rows.dtype == np.float64
    assert rows.flags.c_contiguous
    return rows[:, 0].tolist()


def same(left: list[float], right: list[float]) -> bool:
    return np.array_equal(np.array(left), np.array(right), equal_nan=True)


NAN = float("nan")


def test_item_attributes_numbers_and_codes() -> None:
    assert column("item.price") == [float(number % 7) for number in range(12)]
    assert column("item.kind") == [0.0, 1.0] * 6
    assert same(column("item.kind", categories={"item.kind": ("shoe",)}), [NAN, 0.0] * 6)
    assert same(column("item.kind", categories={}), [NAN] * 12)
    assert same(column("item.weight"), [NAN] * 12)


@pytest.mark.parametrize(
    ("context", "expected"),
    [({"mood": "wild"}, 1.0), ({"mood": "sad"}, NAN), ({}, NAN), ({"mood": 3}, NAN), ({"mood": True}, NAN)],
)
def test_context_categories(context: dict[str, Any], expected: float) -> None:
    assert same(column("context.mood", context=context, ordinals=ALL[:1]), [expected])


def test_context_numbers_and_flags() -> None:
    assert column("context.age", context={"age": 7}, ordinals=ALL[:2]) == [7.0, 7.0]
    assert column("context.member", context={"member": True}, ordinals=ALL[:1]) == [1.0]
    assert same(column("context.age", context={"age": "7"}, ordinals=ALL[:1]), [NAN])


def test_statistics_by_ordinal_and_missing_for_items_younger_than_the_epoch() -> None:
    stats = statistics()
    for place, name in enumerate(ITEM_STATS):
        assert column(f"stat.{name}", items=stats) == stats.values[:, place].tolist()
    young = ItemFeatures(epoch=1, values=stats.values[:10])
    found = column("stat.ctr", items=young)
    assert found[:10] == stats.values[:10, 3].tolist()
    assert np.isnan(found[10:]).all()


def test_the_person_is_missing_until_known() -> None:
    for name in ("user.0", "user.31", "user.affinity", "user.norm", "user.events"):
        assert np.isnan(column(name)).all()
    known = user()
    vector = np.frombuffer(known.vector, "<f4").astype(float)
    assert column("user.0", known=known, ordinals=ALL[:1]) == [float(vector[0])]
    assert column("user.events", known=known, ordinals=ALL[:1]) == [6.0]
    assert column("user.norm", known=known, ordinals=ALL[:1]) == pytest.approx([float(np.linalg.norm(vector))])
    cosine = SHELF.vectors @ vector / np.linalg.norm(vector)
    assert column("user.affinity", known=known) == pytest.approx(cosine.tolist(), abs=1e-6)


def test_a_person_of_no_interest_has_no_affinity() -> None:
    blank = UserState(vector=bytes(4 * USER_DIMENSIONS), updated_at=NOW, events=0)
    assert np.isnan(column("user.affinity", known=blank)).all()
    assert column("user.norm", known=blank, ordinals=ALL[:1]) == [0.0]


@pytest.mark.parametrize("name", ["price", "user.64", "user.mood", "stat.views", "item.", "user.-1", "", "cat.x"])
def test_a_name_that_is_no_feature_is_refused(name: str) -> None:
    with pytest.raises(Invalid) as refused:
        FeatureTable(("item.price", name), SHELF)
    assert [problem.field for problem in refused.value.problems] == ["features.1"]


@given(st.lists(st.integers(0, 11), max_size=20), st.booleans())
def test_a_row_stands_alone(chosen: list[int], known: bool) -> None:
    table = FeatureTable(FEATURES, SHELF, categories=CATEGORIES)
    person = user() if known else None
    context = {"mood": "wild", "age": 4}
    ordinals = np.array(chosen, dtype=np.int64)
    rows = table.rows(ordinals, context, person, statistics())
    assert rows.shape == (len(chosen), len(FEATURES))
    for place, ordinal in enumerate(chosen):
        alone = table.rows(np.array([ordinal]), context, person, statistics())
        assert alone.tobytes() == rows[place].tobytes()


def test_a_table_never_writes_to_what_it_was_given() -> None:
    table = FeatureTable(FEATURES, SHELF, categories=CATEGORIES)
    stats = statistics()
    first = table.rows(ALL, {"age": 1}, user(), stats)
    first[:] = 0.0
    assert table.rows(ALL, {"age": 1}, user(), stats)[:, 0].tolist() == column("item.price")


# interests


def test_items_that_share_attributes_lie_closer() -> None:
    red = item_vector(Item(item_id="a", attributes={"colour": "red", "kind": "shoe", "size": "m"}))
    also = item_vector(Item(item_id="b", attributes={"colour": "red", "kind": "shoe", "size": "m"}))
    other = item_vector(Item(item_id="c", attributes={"genre": "jazz", "label": "blue", "era": "old"}))
    assert red @ also > red @ other


def test_an_item_vector_is_the_same_on_every_machine() -> None:
    vector = item_vector(Item(item_id="a", attributes={"x": 2.0}, tags=("t",)))
    assert vector.dtype == np.float32
    assert {round(float(value), 6) for value in vector if value} <= {0.639602, -0.639602, 0.426401, -0.426401}


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_fading_twice_is_fading_once(one: int, two: int) -> None:
    vector = np.ones(3, dtype=np.float32)
    stepwise = decayed(decayed(vector, 0, one), one, one + two)
    np.testing.assert_allclose(stepwise, decayed(vector, 0, one + two), rtol=1e-6)


def test_a_half_life_halves_and_a_clock_that_went_back_fades_nothing() -> None:
    vector = np.array([8.0], dtype=np.float32)
    assert decayed(vector, 0, int(HALF_LIFE_S * SECOND)).tolist() == [4.0]
    assert decayed(vector, 100, 50).tolist() == [8.0]


def test_settling_twice_changes_nothing() -> None:
    once = settled(user(), NOW)
    assert settled(once, NOW) == once
    assert settled(None, NOW) is None


# the shelf


def test_a_shelf_knows_what_may_be_served() -> None:
    items = (
        Item(item_id="a"),
        Item(item_id="b", hidden=True),
        Item(item_id="c", stock=0),
        Item(item_id="d", expires_at=NOW),
        Item(item_id="e", expires_at=NOW + 1),
    )
    shelf = build_shelf(Catalogue(version=1, items=items))
    assert shelf.servable.tolist() == [True, False, False, True, True]
    assert shelf.ordinals["e"] == 4
    assert shelf.expires_at is not None
    assert build_shelf(Catalogue(version=1, items=items[:3])).expires_at is None
    assert shelf.digest != build_shelf(Catalogue(version=1, items=items[:3])).digest
