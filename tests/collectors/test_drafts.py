"""Foreign rows become items, or say which field is wrong and why."""

import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors import readings
from collectors.drafts import draft
from collectors.readings import Unreadable
from storage.records.items import Item, item_problems
from storage.records.syncs import ItemMapping


def numbered(*rows):
    return list(enumerate(rows, start=1))


def test_every_field_of_an_item_is_read():
    mapping = ItemMapping(
        item_id="sku",
        title="name",
        text="about",
        kind="type",
        tags=("tags", "more"),
        hidden="off",
        stock="left",
        created_at="made",
        expires_at="ends",
        vectors={"image": "v"},
        attributes={"price": "cost", "season": "when"},
    )
    row = {
        "sku": 17, "name": " Coat ", "about": "Warm", "type": "coat", "tags": "a|b|a", "more": ["c"], "off": "no",
        "left": "3", "made": "2026-01-01", "ends": 1_767_225_600_000, "v": "[1, 2.5]", "cost": "12.50", "when": "2026",
        "ignored": "x",
    }  # fmt: skip
    assert draft(numbered(row), mapping).items == {
        "17": Item(
            item_id="17",
            title="Coat",
            text="Warm",
            kind="coat",
            tags=("a", "b", "c"),
            hidden=False,
            stock=3,
            created_at=1_767_225_600_000_000,
            expires_at=1_767_225_600_000_000,
            vectors={"image": (1.0, 2.5)},
            attributes={"price": 12.5, "season": "2026"},
        )
    }


def test_absent_cells_are_absent_and_all_other_columns_are_attributes():
    found = draft(
        numbered({"item_id": "a", "title": None, "price": "", "size": float("nan"), "colour": "red", "eco": True}),
        ItemMapping(),
    )
    assert found.items["a"] == Item(item_id="a", attributes={"colour": "red", "eco": True})


def test_a_column_of_texts_is_numeric_only_where_all_of_it_is():
    rows = numbered(
        {"item_id": "a", "size": "42", "width": "1.5", "number": "0042", "named": "7", "brand": "1"},
        {"item_id": "b", "size": "M", "width": "2", "number": "7", "named": "8", "brand": "2"},
    )
    found = draft(rows, ItemMapping(texts=("named",))).items
    assert found["a"].attributes == {"size": "42", "width": 1.5, "number": "0042", "named": "7", "brand": "1"}
    assert found["b"].attributes == {"size": "M", "width": 2.0, "number": "7", "named": "8", "brand": "2"}


@pytest.mark.parametrize(
    ("row", "field", "reason"),
    [
        ({"item_id": ""}, "item_id", "1 to 128"),
        ({"item_id": "x", "price": "12,50 €"}, "attributes.price", "a number"),
        ({"item_id": "x", "price": "1e999"}, "attributes.price", "finite"),
        ({"item_id": "x", "stock": "2.5"}, "stock", "whole number"),
        ({"item_id": "x", "stock": 10**12}, "stock", "32 bits"),
        ({"item_id": "x", "hidden": "perhaps"}, "hidden", "true or false"),
        ({"item_id": "x", "ends": "tomorrow"}, "expires_at", "2026-01-31"),
        ({"item_id": "x", "a.b": "1"}, "attributes", "a name must be"),
        ({"item_id": "x", "deep": {"a": 1}}, "attributes.deep", "one value"),
        ("has more values than the file has columns", "", "more values"),
    ],
)
def test_a_bad_row_says_its_field_and_the_remedy_and_stops_nobody(row, field, reason):
    mapping = ItemMapping(stock="stock", hidden="hidden", expires_at="ends")
    found = draft(numbered({"item_id": "before"}, row, {"item_id": "after"}), mapping)
    assert set(found.items) == {"before", "after"} and found.rows == 3
    (refusal,) = found.refusals
    assert (refusal.row, refusal.field) == (2, field) and reason in refusal.reason
    assert "€" not in refusal.reason and "perhaps" not in refusal.reason


def test_of_rows_with_one_id_the_last_holds_and_the_others_are_told():
    found = draft(numbered({"item_id": "a", "title": "old"}, {"item_id": "a", "title": "new"}), ItemMapping())
    assert found.items["a"].title == "new"
    assert [(each.row, each.field) for each in found.refusals] == [(1, "item_id")]


def test_records_within_records_are_reached_by_dots():
    mapping = ItemMapping(item_id="id", attributes={"brand": "maker.name"}, title="names.en")
    found = draft(numbered({"id": "a", "maker": {"name": "B"}, "names": {"en": "Coat"}}), mapping)
    assert found.items["a"] == Item(item_id="a", title="Coat", attributes={"brand": "B"})


def test_cells_of_typed_sources():
    assert readings.scalar(Decimal("1.5")) == 1.5
    assert readings.scalar(datetime.date(2026, 1, 2)) == "2026-01-02"
    assert readings.moment(datetime.datetime(2026, 1, 1)) == readings.moment("2026-01-01T00:00:00Z")  # noqa: DTZ001
    assert readings.vector("1;2 3") == (1.0, 2.0, 3.0)
    for read, cell in ((readings.number, True), (readings.vector, "[1,"), (readings.vector, 3), (readings.flag, 2)):
        with pytest.raises(Unreadable):
            read(cell)


CELLS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2), st.binary(max_size=4), st.datetimes(),
)  # fmt: skip


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["item_id", "title", "price", "stock", "hidden", "ends", "v", "tags", "x"]), CELLS
        ),
        max_size=6,
    )
)
def test_whatever_a_row_holds_it_is_a_sound_item_or_a_refusal(rows):
    mapping = ItemMapping(stock="stock", hidden="hidden", expires_at="ends", vectors={"v": "v"}, tags=("tags",))
    found = draft(numbered(*rows), mapping)
    assert found.rows == len(rows) == len(found.items) + len(found.refusals)
    assert [problem for item in found.items.values() for problem in item_problems(item)] == []
