"""Arbitrary answers: bad samples are refused one by one and counted; nothing negative or non-finite gets through."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.client import Failure
from collectors.windows import MOST_SERIES, read_windows

NUMBER = st.one_of(st.floats(), st.integers(), st.booleans(), st.none(), st.text(max_size=3))
SAMPLE = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {"name": st.sampled_from(["fairlead_a", "fairlead_b", "evil", ""]), "value": NUMBER},
        optional={"labels": st.one_of(st.none(), st.dictionaries(st.text(max_size=2), NUMBER, max_size=2))},
    ),
    st.fixed_dictionaries(
        {
            "name": st.just("fairlead_h"),
            "labels": st.just({}),
            "edges": st.one_of(st.none(), st.lists(NUMBER, max_size=2)),
            "counts": st.one_of(st.none(), st.lists(NUMBER, max_size=3)),
            "sum": NUMBER,
        }
    ),
)


def answer(windows, **fields):
    return json.dumps({"replica": "r0", "boot_id": "b0", "now": 5, "windows": windows} | fields).encode()


def window(**fields):
    return {"replica": "r0", "boot_id": "b0", "seq": 0, "start": 0, "end": 10, "monotonic_us": 10} | fields


@given(st.lists(SAMPLE, max_size=5), st.lists(SAMPLE, max_size=5), st.lists(SAMPLE, max_size=5))
def test_nothing_negative_or_non_finite_gets_through(counters, gauges, histograms):
    found = read_windows(answer([window(counters=counters, gauges=gauges, histograms=histograms)]))
    assert not isinstance(found, Failure)
    (got,) = found.windows
    numbers = [sample.value for sample in (*got.counters, *got.gauges)]
    for histogram in got.histograms:
        numbers += [histogram.sum, *histogram.counts]
        assert len(histogram.counts) == len(histogram.edges) + 1
        assert list(histogram.edges) == sorted(set(histogram.edges))
    assert all(math.isfinite(number) and number >= 0 for number in numbers)
    taken = len(got.counters) + len(got.gauges) + len(got.histograms)
    assert taken + sum(found.rejected.values()) == len(counters) + len(gauges) + len(histograms)
    assert all(sample.name.startswith("fairlead_") for sample in (*got.counters, *got.gauges))


@given(st.recursive(st.one_of(NUMBER), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8))
def test_any_json_is_read_or_named(document):
    found = read_windows(json.dumps(document).encode())
    assert isinstance(found, Failure)


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff\xfe", b"{", b"[" * 100_000, b'{"replica": 1}', answer({}), answer([], replica=""), answer([], now=-1)],
)
def test_what_is_no_answer_is_refused_whole(body):
    assert isinstance(read_windows(body), Failure)


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("NaN", "nan"),
        ("Infinity", "inf"),
        ("1e999", "inf"),
        ("-1", "negative"),
        ("-Infinity", "inf"),
        ("true", "unknown"),
    ],
)
def test_reasons(number, reason):
    sample = '{"name": "fairlead_x", "labels": {}, "value": VALUE}'.replace("VALUE", number)
    found = read_windows(answer([window(counters=["HERE"])]).replace(b'"HERE"', sample.encode()))
    assert not isinstance(found, Failure)
    assert found.rejected == {reason: 1}
    assert found.windows[0].counters == ()


@pytest.mark.parametrize(
    "fields",
    [{"seq": -1}, {"start": "x"}, {"monotonic_us": 0}, {"monotonic_us": 10**12}, {"replica": ""}, {"end": None}],
)
def test_a_window_without_a_place_in_time_is_refused(fields):
    found = read_windows(answer([window(**fields), window(seq=1), 7]))
    assert not isinstance(found, Failure)
    assert [one.seq for one in found.windows] == [1]
    assert found.rejected == {"window": 2}


def test_series_are_bounded_and_repeated_ones_refused():
    many = [{"name": "fairlead_x", "labels": {"i": str(place)}, "value": 1} for place in range(MOST_SERIES + 7)]
    found = read_windows(answer([window(counters=[*many, many[0]])]))
    assert not isinstance(found, Failure)
    assert len(found.windows[0].counters) == MOST_SERIES
    assert found.rejected == {"series_limit": 7, "duplicate": 1}


def test_a_clock_that_was_set_back_within_a_window_leaves_no_negative_length():
    found = read_windows(answer([window(start=100, end=50)]))
    assert not isinstance(found, Failure)
    assert (found.windows[0].start, found.windows[0].end, found.windows[0].monotonic_us) == (100, 100, 10)
