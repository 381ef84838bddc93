"""Any bytes for a journal's page: read, refused whole, or single entries put aside; never a crash."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.client import Failure
from collectors.entries import UNREADABLE, Page, read_page, sort_entries
from storage.records import wire
from tests.collectors.journals import NOON, decision, event

VALUE = st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(), st.text(), st.binary())
KIND = st.sampled_from(["event", "decision", "epoch", "dead_letter", "mystery"])
GOOD = [wire.encode(decision(NOON, 1)), wire.encode(event(None, "click", NOON, event_id="e"))]
PAYLOAD = st.one_of(st.binary(max_size=30), st.sampled_from(GOOD), VALUE.map(msgspec.msgpack.encode))


def page(entries, **fields):
    about = {"replica": "r0", "log": "l0", "boot_id": "b", "head": 99, "entries": entries}
    return msgspec.msgpack.encode(about | fields)


@given(st.one_of(st.binary(), st.recursive(VALUE, st.lists, max_leaves=6).map(msgspec.msgpack.encode)))
def test_any_bytes_are_named_for_what_they_are_not(body):
    assert isinstance(read_page(body, 0), Failure)


@given(st.lists(st.lists(VALUE, min_size=4, max_size=4), min_size=1, max_size=3))
def test_odd_entries_are_refused_or_read(entries):
    found = read_page(page(entries), 0)
    if isinstance(found, Page):
        assert [entry.seq for entry in found.entries] == sorted({entry.seq for entry in found.entries})


@given(st.lists(st.tuples(KIND, PAYLOAD), max_size=6))
def test_every_entry_lands_or_is_put_aside(pairs):
    rows = [[place + 1, kind, NOON, payload] for place, (kind, payload) in enumerate(pairs)]
    found = read_page(page(rows), 0)
    assert isinstance(found, Page)
    done = sort_entries(found.entries, replica="r0", log="l0")
    kept = {seq for records in done.records.values() for seq, _ in records}
    dead = {seq for seq, _ in done.dead}
    assert kept | dead == set(range(1, len(rows) + 1))
    assert not kept & dead


@pytest.mark.parametrize(
    "fields",
    [
        {"replica": ""},
        {"replica": "x" * 65},
        {"log": "l\n"},
        {"log": "\u00e9"},
        {"head": -1},
        {"head": 2**63},
        {"log": 7},
    ],
)
def test_who_speaks_must_be_told_in_names_that_files_can_bear(fields):
    assert isinstance(read_page(page([], **fields), 0), Failure)


def test_a_number_too_large_for_any_column_is_put_aside():
    made = wire.encode(decision(NOON, 1, sequence=2**63 + 1))
    found = read_page(page([[1, "decision", NOON, made], [2, "decision", NOON, GOOD[0]]]), 0)
    done = sort_entries(found.entries, replica="r0", log="l0")
    assert [seq for seq, _ in done.records["decisions"]] == [2]
    assert [(seq, letter.code) for seq, letter in done.dead] == [(1, UNREADABLE)]
