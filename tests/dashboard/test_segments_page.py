"""The Segments page: sizes, meanings, what is foretold and how far it may be trusted; nothing of the few."""

import pytest

from storage import documents, registry, segments
from storage.database import Database
from storage.records.clock import HOUR
from storage.records.models import Calibration, ModelVersion
from storage.records.policies import Installation
from storage.records.segments import Census, SegmentCount, SegmentRule
from tests.dashboard.answers import ANSWERS
from tests.dashboard.drawn import run, told
from tests.dashboard.table_control import surroundings
from tests.dashboard.week import NOW, PAYLOAD

PROOF = "Not shown to be better than the rule “frequency” on held-out time: AUC 0.700 against 0.699."
RULE = {
    "model": 0.7,
    "rival_value": 0.699,
    "difference": 0.001,
    "difference_low": -0.01,
    "difference_high": 0.012,
    "verdict": "no_better",
}
PERSON = {
    "at": NOW,
    "events": 12,
    "origins": ["live"],
    "first_at": NOW - HOUR,
    "segments": [{"key": "new", "title": "First seen less than two weeks ago.", "confidence": 1.0}],
    "forecasts": {
        "churn": {
            "version": "1",
            "horizon_days": 30.0,
            "calibration": "unproven",
            "verdict": "no_better",
            "proof": PROOF,
            "value": 0.73,
            "factors": [
                {"feature": "recency_days", "value": 9.0, "contribution": 0.4, "words": "last seen 9 days ago"}
            ],
        }
    },
}


@pytest.fixture
def counted(sqlite_database: Database) -> Database:
    census = Census(
        at=NOW - HOUR // 60,
        people=2_000,
        origins=("live", "simulated"),
        segments=(
            SegmentCount(segment="new", people=31, confidence=1.0),
            SegmentCount(segment="power", people=700, confidence=0.9, rate=0.05, others=0.02, low=0.01, high=0.05),
            SegmentCount(segment="casual", people=900, confidence=0.8, rate=0.01, others=0.03, low=-0.03, high=-0.01),
            SegmentCount(segment="cohort.2026-10", people=1_200, confidence=1.0),
            SegmentCount(segment="cohort.2026-11", people=800, confidence=1.0),
            SegmentCount(segment="fans", people=120, confidence=1.0),
        ),
    )
    model = ModelVersion(
        name="churn",
        version="1",
        kind="person",
        created_at=NOW,
        path="models/churn/1",
        digest="0",
        evaluation={
            **RULE,
            "sentence": PROOF,
            "outcome": "no purchase in 30 days",
            "calibration": "Calibration not proven: mean error 0.071.",
            "rules": {"frequency": RULE},
            "people": 300,
        },
        calibration=Calibration(status="unproven"),
    )
    fans = SegmentRule(when={"user.clicks": {"$gte": 9}}, title=PAYLOAD)
    with sqlite_database.write() as write:
        segments.save(write, census)
        documents.save(write, "installation", Installation(segments={"fans": fans}))
        registry.register(write, model)
        registry.promote(write, "churn", "1")
    return sqlite_database


def test_sizes_meanings_and_evidence_are_told(counted):
    app = run("segments", surroundings(counted, role="ops"))
    text = told(app)
    assert not app.exception
    assert not app.error
    assert "**2,000** people" in text
    assert "holds simulated rows" in text
    assert "Comes more than three times a week" in text
    assert "Clicks less than everyone else" in text
    assert "Clicks more than everyone else" in text
    assert PROOF.split(":", maxsplit=1)[0] in text.replace("\\", "")
    assert "Not trained yet" in text
    assert "Calibration not proven" in text.replace("\\", "")
    assert PAYLOAD not in text


def test_the_few_are_not_counted_out_for_marketers(counted):
    exact, blurred = (
        str([chart.proto.spec for chart in run("segments", surroundings(counted, role=role)).get("plotly_chart")])
        for role in ("ops", "marketer")
    )
    assert "31 " in exact
    assert "31 " not in blurred
    assert "looking up a person needs" in told(run("segments", surroundings(counted, role="marketer"))).lower()


def test_a_person_is_told_of_with_factors_and_care(counted):
    context = surroundings(counted, answers={**ANSWERS, "/analytics/person": PERSON})
    app = run("segments", context)
    app.text_input(key="person-id").input("u-1")
    app.text_input(key="person-why").input("short")
    app.button(key="FormSubmitter:person-Look up").click().run()
    assert "at least 10 characters" in told(app)
    app.text_input(key="person-why").input("a customer asked us")
    app.button(key="FormSubmitter:person-Look up").click().run()
    text = told(app).replace("\\", "")
    assert "73 % risk to be lost" in text
    assert "last seen 9 days ago" in text
    assert "not shown to be better than a one-line rule and its calibration is not proven" in text


def test_an_unknown_person_and_control_away_are_said(counted):
    for answers, word in ((ANSWERS, "Nothing may be told of this person"), (None, "FL-1503")):
        app = run("segments", surroundings(counted, answers=answers))
        app.text_input(key="person-id").input("u-1")
        app.text_input(key="person-why").input("a customer asked us")
        app.button(key="FormSubmitter:person-Look up").click().run()
        assert word in told(app)
        assert not app.exception
