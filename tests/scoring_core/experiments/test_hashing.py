"""Buckets equal GrowthBook's published cases and the vectors of the workplace."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring_core.experiments.hashing import (
    bucket,
    bucket_ranges,
    choose_variation,
    equal_weights,
    fnv1a32,
    in_namespace,
)


def shared(name: str) -> Any:
    """Read a shared file of cases, or skip and say so."""
    root = Path(os.environ.get("FAIRLEAD_SHARED_DATA", Path(__file__).parents[3].parent / "shared" / "data"))
    path = root / name
    if not path.exists():
        pytest.skip(f"the shared data is not here: {path}; set FAIRLEAD_SHARED_DATA")
    return json.loads(path.read_text())


def test_hash_equals_growthbook() -> None:
    cases = shared("growthbook/cases_open.json")["hash"]
    assert len(cases) >= 15
    for seed, value, version, expected in cases:
        assert bucket(seed, value, version) == expected, (seed, value, version)


def test_bucket_ranges_equal_growthbook() -> None:
    for name, arguments, expected in shared("growthbook/cases_open.json")["getBucketRange"]:
        found = bucket_ranges(*arguments)
        assert [list(bounds) for bounds in found] == [pytest.approx(bounds) for bounds in expected], name


def test_namespaces_equal_growthbook() -> None:
    for name, value, (namespace, low, high), expected in shared("growthbook/cases_open.json")["inNamespace"]:
        assert in_namespace(value, namespace, (low, high)) is expected, name


def test_variations_equal_growthbook() -> None:
    for name, point, ranges, expected in shared("growthbook/cases_open.json")["chooseVariation"]:
        assert choose_variation(point, [(low, high) for low, high in ranges]) == expected, name


def test_equal_weights_equal_growthbook() -> None:
    for count, expected in shared("growthbook/cases_open.json")["getEqualWeights"]:
        assert equal_weights(count) == pytest.approx(expected)


def test_vectors_of_the_workplace() -> None:
    cases = shared("hash_vectors/growthbook_hash.json")["cases"]
    assert len(cases) == 576
    for case in cases:
        assert bucket(case["seed"], case["value"], 1) == case["v1"]
        assert bucket(case["seed"], case["value"], 2) == case["v2"]


def test_other_scripts_hash_by_their_utf8_bytes() -> None:
    assert fnv1a32("ä") == fnv1a32("Ã¤".encode("latin-1").decode("utf-8"))
    assert bucket("seed", "Ünï-🦊") is not None


@given(st.text(), st.text(), st.floats(0, 1), st.floats(0, 1))
def test_who_is_in_stays_in_while_the_share_grows(seed: str, value: str, one: float, other: float) -> None:
    small, large = sorted((one, other))
    point = bucket(seed, value)
    assert point is not None
    assert 0.0 <= point < 1.0
    assert not point < small or point < large
    assert not point < 0.0


@given(st.integers(1, 20), st.floats(-1, 2))
def test_ranges_lie_in_order_within_one(count: int, coverage: float) -> None:
    ranges = bucket_ranges(count, coverage)
    ends = [edge for bounds in ranges for edge in bounds]
    assert ends == sorted(ends)
    assert ends[0] >= 0.0
    assert ends[-1] <= 1.0 + 1e-9
