"""Words for the eye: harmless names, steady numbers, files that run nothing."""

import csv as rfc4180
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.text import digits, interval, lasting, percent, plain, safe
from storage.spreadsheets import cell, csv
from tests.dashboard.week import PAYLOAD

SPECIAL = set("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
ATTACKS = [
    PAYLOAD,
    "![p](https://evil.test/a.png)",
    "[x](javascript:alert(1))",
    "<img src=x onerror=alert(1)>",
    "http://evil.test",
    "www.evil.test",
    "a@evil.test",
    "mailto:a@evil.test",
    ":material/home:",
    ":red-background[x]",
    "$\\href{http://evil.test}{x}$",
    "a\n\n# heading",
    "`code` | table | x",
    "\u202edesrever\u202c",
    "%{customdata}",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_mark_of_markdown_is_left_bare(attack):
    shown = safe(attack, limit=0)
    assert "\n" not in shown
    for place, letter in enumerate(shown):
        if letter in SPECIAL and letter != "\\":
            assert shown[place - 1] == "\\"
    for link in ("://", "www.", "mailto:", "@evil"):
        assert link not in shown.replace("\\", "")


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_tag_is_left_in_a_figure(attack):
    shown = safe(attack, "figure")
    assert "<" not in shown
    assert ">" not in shown


@given(st.text())
def test_a_safe_name_reads_as_the_name(name):
    shown = safe(name, limit=0)
    unescaped = "".join(letter for place, letter in enumerate(shown) if not _escape(shown, place))
    assert unescaped.replace("\u2060", "") == plain(name)


def _escape(text, place):
    """Whether the backslash at ``place`` escapes what follows."""
    if text[place] != "\\":
        return False
    before = 0
    while place - before - 1 >= 0 and text[place - before - 1] == "\\":
        before += 1
    return before % 2 == 0


@given(st.floats(min_value=1e-6, max_value=1e9))
def test_three_digits_are_true_to_the_value(value):
    shown = float(digits(value).replace(",", ""))
    assert shown == pytest.approx(value, rel=0.006)
    assert "e" not in digits(value)


def test_rates_and_spans_read_alike_everywhere():
    assert percent(0.004) == "0.40 %"
    assert interval(0.0032, 0.005) == "0.32–0.50"
    assert lasting(59_000_000) == "59 s"


@given(st.text())
def test_no_cell_of_a_file_is_a_formula(text):
    assert not str(cell(text)).startswith(("=", "+", "-", "@", "\t", "\r"))


def test_a_file_is_read_back_as_it_was():
    rows = [{"name": '=cmd|"x"', "n": -3}, {"name": "a,b\nc", "n": None}]
    read = list(rfc4180.DictReader(io.StringIO(csv(rows).decode(), newline="")))
    assert [one["name"] for one in read] == ['\'=cmd|"x"', "a,b\nc"]
    assert [one["n"] for one in read] == ["-3", ""]
