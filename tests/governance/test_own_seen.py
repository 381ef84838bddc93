"""What a person's own page tells of decisions: their own alone, in sentences, names of others as text."""

from pathlib import Path
from typing import Any

import pytest

from governance.api.own_page import rendering
from governance.control import Control
from governance.own.likes import likes, moved_up, reworded, word_of
from governance.own.seen import HOW, IMPERSONAL, Lately
from storage import catalogue, subject_requests
from storage.database import Database
from storage.errors import Invalid, NotFound
from storage.keys import Keys
from storage.lake import Lake
from storage.records.clock import DAY, SECOND
from storage.records.decisions import Decision
from storage.records.items import Item
from storage.records.requests import Traces

from .conftest import NOW, Clock
from .lived import person
from .served import People
from .test_own_page import ANNA, BERT, HOSTILE, Browser, browsers, entries

__all__ = ["browsers"]


def decision(number: int, subject: str, **more: Any) -> Decision:
    return Decision(
        **{
            "decision_id": f"d-{number}",
            "at": NOW - number * SECOND,
            "replica": "engine-0",
            "subject": subject,
            "session": "s",
            "sequence": 1,
            "surface": "home",
            "campaign": "men",
            "slots": 2,
            "revision": 1,
            "consent_epoch": 0,
            "policy": "home",
            "version": 1,
            "bucket": 0.5,
            "scorer": "gbdt",
            "served_by": "model",
            "reason": "ok",
            "items": ("boots", "gone"),
            "reasons": (("model", "because:boots"), ("explored",)),
            "propensity": (1.0, 1.0),
            **more,
        }
    )


def landed(database: Database, lake: Lake, records: list[Decision]) -> None:
    staged = lake.stage(
        "decisions",
        replica="engine-0",
        log="l",
        from_seq=1,
        to_seq=len(records),
        origin="live",
        records=records,
    )
    with database.write() as write:
        lake.register(write, staged, now=NOW)


@pytest.fixture
def stocked(control: Control, sqlite_database: Database) -> Database:
    attributes = {"colour": "red", "brand": HOSTILE, "price": 3.0}
    with sqlite_database.write() as write:
        boots = Item(item_id="boots", title=HOSTILE, attributes=attributes, tags=("warm",))
        catalogue.upsert(write, [boots], now=NOW)
    return sqlite_database


def test_reasons_are_sentences_and_the_newest_comes_first(stocked: Database, lake: Lake) -> None:
    anna = "a" * 32
    others = [decision(2, anna, served_by="fallback"), decision(3, anna, scorer="popular"), decision(4, "b" * 32)]
    landed(stocked, lake, [decision(1, anna), *others])
    found = Lately(stocked, lake).of(Traces(subjects=(anna,)), NOW)
    assert [one.decision_id for one in found] == ["d-1", "d-2", "d-3"]
    assert [one.how for one in found] == [HOW["model"], HOW["fallback"], IMPERSONAL]
    boots, gone = found[0].items
    assert boots.because[0] == "Ranked for you" and "looked at ‹script›" in boots.because[1]
    assert "Shown to learn whether you like it" in gone.because and gone.title == "gone" and gone.traits == ()
    assert {trait.name for trait in boots.traits} == {"tag=warm", "colour=red", f"brand={HOSTILE}"}
    assert found[0].place == "home, Men"


def test_older_answers_are_looked_for_only_where_there_are_few(stocked: Database, lake: Lake) -> None:
    anna = "a" * 32
    old = [decision(10 + day, anna, at=NOW - day * DAY - SECOND) for day in (5, 20, 40)]
    landed(stocked, lake, old)
    found = Lately(stocked, lake).of(Traces(subjects=(anna,)), NOW)
    assert [one.decision_id for one in found] == ["d-15", "d-30"]


def test_what_was_shown_to_others_is_nobodys_business(
    stocked: Database, lake: Lake, keys: Keys, browsers: Any, people: People, clock: Clock
) -> None:
    anna, bert = person(stocked, keys, ANNA), person(stocked, keys, BERT)
    landed(stocked, lake, [decision(1, anna), decision(2, bert)])
    page: Browser = browsers(ANNA)
    text = page.text
    assert "d-1" in text and "d-2" not in text
    assert "<script>" not in text and "<img" not in text and "‹script›" in text
    before = entries(stocked)
    for fields in (
        {"decision": "d-2", "item": "boots"},
        {"decision": "d-1", "item": "x"},
        {"decision": "x", "item": "x"},
    ):
        for word in ("helpful", "less"):
            assert page.send("/me/feedback", **fields, word=word).status_code == 404, fields
    assert page.send("/me/feedback", decision="d-1", item="boots", word="<b>").status_code == 422
    assert page.send("/me/feedback", decision="d-1", item="boots", word="less").status_code == 303
    assert entries(stocked)[len(before) :] == ["subject.rectification"]
    assert page.send("/me/feedback", decision="d-1", item="boots", word="helpful").status_code == 503
    assert entries(stocked)[-1] == "own.feedback"


def test_an_erasure_takes_the_words_of_a_review_with_it(stocked: Database, control: Control, keys: Keys) -> None:
    from .conftest import warrant

    person(stocked, keys, ANNA)
    asked = control.reviews.ask(ANNA, "I am Anna and I object to boots", "d-1", warrant())
    with stocked.write() as write:
        subject_requests.forget_words(write, asked.subject)
    with stocked.read() as read:
        left = subject_requests.find(read, asked.request_id)
    assert (left.state, left.progress, left.receipt, left.reason) == ("done", {}, None, "")


def test_a_word_for_each_interest() -> None:
    told = {
        "stated": {"interests": {"tag=warm": {"value": 0.0}, "colour=red": {"value": 1.0}}},
        "interests": [
            {"interest": "colour=red", "score": 1.0, "confidence": 0.9, "source": "stated", "evidence": 0},
            {"interest": "tag=new", "score": 0.4, "confidence": 0.5, "source": "implicit", "evidence": 3},
            {"interest": "tag=warm", "score": 0.0, "confidence": 0.9, "source": "stated", "evidence": 0},
        ],
    }
    known = likes(told)
    assert [(one.label, one.kind, one.word, one.aside) for one in known] == [
        ("red", "colour", "very much", False),
        ("new", "", "rather", False),
        ("warm", "", "no matter", True),
    ]
    assert moved_up(known, "tag=new") == {"tag=new": 1.0, "colour=red": 0.4} and moved_up(known, "colour=red") == {}
    assert reworded(known, {"colour=red": "very much", "tag=new": "not at all", "tag=x": "rather"}) == {"tag=new": -1.0}
    assert word_of(-0.8) == "not at all"
    with pytest.raises(NotFound):
        moved_up(known, "tag=warm")
    with pytest.raises(Invalid):
        reworded(known, {"tag=new": "7"})


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_legible_and_edges_are_seen_in_both_schemes(scheme: str) -> None:
    import re

    text = Path(rendering.STYLE).read_text("utf-8")
    light, dark = text.split("@media (prefers-color-scheme: dark)")
    tokens = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", light if scheme == "light" else dark.split("* {")[0]))

    def luminance(colour: str) -> float:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    def contrast(one: str, other: str) -> float:
        high, low = sorted((luminance(tokens[one]), luminance(tokens[other])), reverse=True)
        return (high + 0.05) / (low + 0.05)

    for ink in ("ink", "muted", "accent", "good", "bad"):
        assert min(contrast(ink, "ground"), contrast(ink, "panel")) >= 4.5, ink
    assert contrast("on-accent", "accent") >= 4.5
    assert min(contrast("edge", "ground"), contrast("edge", "panel")) >= 3.0
