"""The maps of frameworks are what their generator makes, and every test that they name is there."""

import pytest

from tests.house.compliance import FOLDER, known, pages, written

COUNTS = {"Govern": 19, "Map": 18, "Measure": 22, "Manage": 13}
"""The outcomes of the AI RMF 1.0 core, by function."""


def test_every_named_test_is_there() -> None:
    tests = known()
    missing = [
        name
        for frame in written().values()
        for *_told, names in frame["outcomes"]
        for name in names
        if name not in tests
    ]
    assert not missing


@pytest.mark.parametrize("name", ["nist.md", "gdpr.md"])
def test_the_pages_are_as_generated(name: str) -> None:
    assert (FOLDER / name).read_text("utf-8") == pages()[name], "run python -m tests.house.compliance"


def test_all_outcomes_of_the_framework_are_told() -> None:
    outcomes = [row[0] for row in written()["nist"]["outcomes"]]
    assert len(set(outcomes)) == 72
    assert {name: sum(one.startswith(name) for one in outcomes) for name in COUNTS} == COUNTS


def test_what_no_test_shows_says_whose_it_is() -> None:
    for frame in written().values():
        assert all(bool(names) != bool(outside) for _id, _asks, outside, names in frame["outcomes"])
