"""The lake's schemas follow the records, and every record comes back as it went in."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import fields

from storage.parquet import MAPS, SCHEMAS, record, table
from storage.records.decisions import Decision
from storage.records.events import Event, ItemEpoch

RECORDS = {"decisions": Decision, "events": Event, "epochs": ItemEpoch}
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
WORDS = st.dictionaries(TEXT, TEXT, max_size=2)
SCALAR = st.one_of(TEXT, st.booleans(), st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False))
INT = st.integers(0, 2**62)
FLOAT = st.floats(allow_nan=False)
VALUES = {
    "str": TEXT,
    "str | None": st.none() | TEXT,
    "int": INT,
    "int | None": st.none() | st.integers(0, 2**31 - 1),
    "float | None": st.none() | FLOAT,
    "bool": st.booleans(),
    "bytes": st.binary(max_size=8),
    "bytes | None": st.none() | st.binary(max_size=8),
    "Mapping[str, str]": WORDS,
    "Mapping[str, int]": st.dictionaries(TEXT, INT, max_size=2),
    "Mapping[str, int] | None": st.none() | st.dictionaries(TEXT, INT, max_size=2),
    "Mapping[str, bool] | None": st.none() | st.dictionaries(TEXT, st.booleans(), max_size=2),
    "Mapping[str, Scalar]": st.dictionaries(TEXT, SCALAR, max_size=3),
    "Mapping[str, Any]": st.dictionaries(TEXT, SCALAR, max_size=2),
    "Mapping[str, tuple[str, ...]]": st.dictionaries(TEXT, st.lists(TEXT, max_size=2).map(tuple), max_size=2),
    "Mapping[int, tuple[float, ...]]": st.dictionaries(
        INT, st.tuples(FLOAT.filter(lambda x: abs(x) < 1e300)), max_size=2
    ),
    "tuple[str, ...]": st.lists(TEXT, max_size=3).map(tuple),
    "tuple[int, ...]": st.lists(st.integers(0, 1000), max_size=3).map(tuple),
    "tuple[float, ...]": st.lists(FLOAT, max_size=3).map(tuple),
    "tuple[tuple[str, ...], ...]": st.lists(st.lists(TEXT, max_size=2).map(tuple), max_size=2).map(tuple),
    "ServedBy": st.sampled_from(["model", "default"]),
    "PropensityKind": st.just("conditional"),
    "Origin": st.sampled_from(["live", "imported", "simulated"]),
    "Literal": st.sampled_from(["full", "aggregate"]),
}


def spelled(field):
    kind = field.type if isinstance(field.type, str) else getattr(field.type, "__name__", str(field.type))
    text = str(field.type) if kind in {"Mapping", "tuple", "Optional", "Union", "UnionType"} else kind
    return text.replace("collections.abc.", "").replace("typing.", "")


def strategy(cls):
    chosen = {}
    for field in fields(cls):
        if field.name == "slots":
            chosen[field.name] = st.integers(0, 100)
        elif "Literal" in str(field.type):
            chosen[field.name] = st.sampled_from(field.type.__args__)
        else:
            text = spelled(field).replace("str | float | int | bool", "Scalar")
            chosen[field.name] = VALUES[text]
    return st.builds(cls, **chosen)


@pytest.mark.parametrize("kind", RECORDS)
def test_there_is_a_column_for_every_field(kind):
    names = {field.name for field in fields(RECORDS[kind])}
    assert names | {"log", "seq", "replica"} == {*SCHEMAS[kind].names, "replica"}
    maps = {field.name for field in fields(RECORDS[kind]) if "Mapping" in str(field.type)}
    assert maps == MAPS[kind]


@pytest.mark.parametrize("kind", RECORDS)
@settings(max_examples=40)
@given(st.data())
def test_records_come_back_as_they_went_in(kind, data):
    records = data.draw(st.lists(strategy(RECORDS[kind]), max_size=4))
    written = table(kind, records, replica="r0", log="l0", seqs=range(len(records)))
    assert written.schema == SCHEMAS[kind]
    assert [record(kind, row) for row in written.to_pylist()] == records
    assert written["seq"].to_pylist() == list(range(len(records)))
