"""Reasons are codes in the record and sentences for people."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from scoring_core.reasons import TEXTS, Words, named, template_problems, told
from scoring_core.runtime import runtime, runtime_digest
from scoring_core.stages import Stopwatch
from storage.records.rules import Rule
from tests.scoring_core.world import decided, world


def test_every_code_of_the_house_has_a_sentence() -> None:
    record = replace(decided(world()), reasons=tuple((code,) for code in TEXTS))
    sentences = told(record, Words())
    assert all(sentence and sentence != code for (sentence,), code in zip(sentences, TEXTS, strict=True))


def test_the_surface_says_it_first_then_the_policy_then_the_house() -> None:
    record = replace(decided(world()), reasons=(("model", "rule:summer"), ("popular", "unheard"), ("because:i3",)))
    words = Words(
        surface={"model": "Picked here", "because": ""},
        policy={"model": "Picked for you", "popular": "Many like it", "because": "Seen with {item}"},
        titles={"i3": "Boots <b>"}.get,
    )
    assert told(record, words) == (
        ("Picked here", "Chosen with the rule summer"),
        ("Many like it", "unheard"),
        ("Seen with Boots ‹b›",),
    )


def test_a_rule_says_its_own_reason() -> None:
    record = replace(decided(world()), reasons=(("rule:a", "rule:b", "rule:gone"),))
    rules = {
        "a": Rule(key="a", action="boost", reason="Summer is here"),
        "b": Rule(key="b", action="boost", name="Rainy days"),
    }
    assert told(record, Words(rules=rules)) == (
        ("Summer is here", "Chosen with the rule Rainy days", "Chosen with the rule gone"),
    )


@pytest.mark.parametrize(
    "templates",
    [
        {"because": "You saw {thing}"},
        {"model": "For {you}"},
        {"rule": "By {rule.__class__}"},
        {"interest": "Like {interest"},
        {"popular": "<b>Popular</b>"},
        {"popular": "p" * 201},
        {"unheard": "What"},
        {"because": "You saw {0}"},
    ],
)
def test_a_template_that_would_not_read_well_is_refused(templates: dict[str, str]) -> None:
    assert list(template_problems(templates, "reasons"))


@given(st.text(max_size=200))
def test_a_name_never_brings_markup_or_control_characters(text: str) -> None:
    shown = named(text)
    assert len(shown) <= 80
    assert not any(letter in "<>" or unicodedata.category(letter)[0] == "C" for letter in shown)


def test_the_house_s_own_templates_are_sound() -> None:
    assert list(template_problems(TEXTS, "reasons")) == []


def test_the_runtime_names_what_computes() -> None:
    assert {"python", "numpy", "lightgbm", "numba", "architecture"} <= runtime().keys()
    assert len(runtime_digest()) == 16
    assert runtime()["faiss-cpu"] == "absent" or runtime()["faiss-cpu"][0].isdigit()


def test_a_watch_measures_laps() -> None:
    ticks = iter([0, 5_000, 7_999, 1_007_999])
    watch = Stopwatch(lambda: next(ticks))
    for stage in ("policy", "score", "policy"):
        watch.lap(stage)
    assert watch.laps == {"policy": 1_000, "score": 2}
