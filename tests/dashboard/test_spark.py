"""The line under a figure: where it goes, where it breaks, what it says."""

from base64 import b64decode
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.figures.spark import spark
from dashboard.text import percent
from dashboard.theme import theme
from tests.dashboard.week import PAYLOAD

LOOK = theme("light")
VALUE = st.none() | st.floats(-1e9, 1e9)


def drawn(html: str) -> tuple[str, str]:
    """Return the path of an image, and its text alternative."""
    image = ElementTree.fromstring(html.removesuffix(">") + "/>")
    (line,) = ElementTree.fromstring(b64decode(image.attrib["src"].split(",")[1]))
    return line.attrib["d"], image.attrib["alt"]


def test_a_line_goes_from_its_least_to_its_greatest_value():
    path, alt = drawn(spark([1.0, 3.0, 2.0], LOOK, what="Decisions"))
    assert path == "M0,0.940L1,0.060L2,0.500"
    assert alt == "Decisions: 1.00 to 3.00, last 2.00"


def test_what_is_unknown_breaks_the_line_and_is_never_bridged():
    path, alt = drawn(spark([None, 0.5, 0.6, None, 0.7, None], LOOK, what="Errors", told=percent))
    assert [part[0] for part in path.replace("M", " M").replace("L", " L").split()] == ["M", "L", "M"]
    assert alt == "Errors: 50 % to 70 %, last 70 %"


@pytest.mark.parametrize("values", [[], [1.0], [None, None], [None, 2.0, None]])
def test_fewer_than_two_known_values_are_no_line(values):
    assert spark(values, LOOK, what="x") == ""


def test_what_never_changes_is_a_level_line_in_the_middle():
    assert drawn(spark([7.0, 7.0], LOOK, what="x"))[0] == "M0,0.500L1,0.500"


def test_a_name_stays_text():
    html = spark([1.0, 2.0], LOOK, what=PAYLOAD + '"')
    assert html.count("<") == 1 and drawn(html)[1].startswith(PAYLOAD)


@given(st.lists(VALUE, min_size=2, max_size=60))
def test_a_line_stays_within_its_picture_and_keeps_the_order_of_values(values):
    html = spark(values, LOOK, what="x")
    known = [value for value in values if value is not None]
    if len(known) < 2:
        assert html == ""
        return
    spots = [part.split(",") for part in drawn(html)[0].replace("M", " ").replace("L", " ").split()]
    assert [int(x) for x, _ in spots] == [place for place, value in enumerate(values) if value is not None]
    heights = [float(y) for _, y in spots]
    assert all(0.0 <= height <= 1.0 for height in heights)
    for (one, at), (other, there) in pairwise(zip(known, heights, strict=True)):
        assert at >= there if one <= other else at <= there
