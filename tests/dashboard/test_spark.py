"""The line under a figure: where it goes, where it breaks, what it says."""

from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.figures.spark import HEIGHT, WIDTH, spark
from dashboard.text import percent
from dashboard.theme import theme
from tests.dashboard.week import PAYLOAD

LOOK = theme("light")
VALUE = st.none() | st.floats(-1e9, 1e9)


def drawn(values: list[float | None]) -> list[tuple[str, float, float]]:
    """Return where the line goes: each time whether it begins or goes on, and to where."""
    made = spark(values, LOOK, what="x")
    assert made is not None
    (line,) = ElementTree.fromstring(made.svg)
    parts = line.attrib["d"].replace("h0", "").replace("M", " M").replace("L", " L").split()
    return [(part[0], *map(float, part[1:].split(","))) for part in parts]  # type: ignore[misc]  # two numbers


def test_a_line_goes_from_its_least_to_its_greatest_value():
    assert drawn([1.0, 3.0, 2.0]) == [("M", 0, 38), ("L", 100, 2), ("L", 200, 20)]
    assert spark([1.0, 3.0, 2.0], LOOK, what="Decisions").alt == "Decisions: 1.00 to 3.00, last 2.00"


def test_what_is_unknown_breaks_the_line_and_is_never_bridged():
    values = [None, 0.5, 0.6, None, 0.7, None]
    assert [(step, round(x)) for step, x, _ in drawn(values)] == [("M", 0), ("L", 67), ("M", 200)]
    assert spark(values, LOOK, what="x").svg.count("h0") == 2, "one that stands alone is a dot"
    assert spark(values, LOOK, what="Errors", told=percent).alt == "Errors: 50 % to 70 %, last 70 %"


@pytest.mark.parametrize("values", [[], [1.0], [None, None], [None, 2.0, None]])
def test_fewer_than_two_known_values_are_no_line(values):
    assert spark(values, LOOK, what="x") is None


def test_what_never_changes_is_a_level_line_in_the_middle():
    assert drawn([7.0, 7.0]) == [("M", 0, 20), ("L", 200, 20)]


def test_no_name_gets_into_the_picture():
    made = spark([1.0, 2.0], LOOK, what=PAYLOAD)
    assert made.alt.startswith(PAYLOAD) and "script" not in made.svg


@given(st.lists(VALUE, min_size=2, max_size=60))
def test_a_line_stays_within_its_picture_and_keeps_the_order_of_values(values):
    known = [value for value in values if value is not None]
    if len(known) < 2:
        assert spark(values, LOOK, what="x") is None
        return
    spots = drawn(values)
    places = [place for place, value in enumerate(values) if value is not None]
    assert [places[0] + round(x * (places[-1] - places[0]) / WIDTH) for _, x, _ in spots] == places
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for _, x, y in spots)
    for (one, (_, _, at)), (other, (_, _, there)) in pairwise(zip(known, spots, strict=True)):
        assert at >= there if one <= other else at <= there
