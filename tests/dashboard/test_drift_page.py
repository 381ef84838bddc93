"""The Drift page: what is normal, what changed since when, what is accepted, and how one says so."""

import pytest

from storage import documents, drift, revisions
from storage.database import Database
from storage.records.clock import DAY, HOUR
from storage.records.drift import Acceptance, Look, ReferencePlan
from storage.records.policies import Installation, Snapshot, Surface
from tests.dashboard.drawn import run, told
from tests.dashboard.judged import DRIFT
from tests.dashboard.table_control import surroundings
from tests.dashboard.week import NOW, PAYLOAD

ROW = DRIFT["features"][0] | {
    "feature": "context.device",
    "method": "psi_levels",
    "effect": 0.3,
    "p_value": 1e-9,
    "red": True,
    "verdict": "fail",
    "importance": 0.25,
    "kind": "input",
    "accepted": None,
}
CALM = ROW | {"feature": "score", "effect": 0.01, "red": False, "material": False, "verdict": "pass"}


def settings(database: Database) -> None:
    installation = Installation(surfaces={"home": Surface(key="home")})
    with database.write() as write:
        documents.save(write, "installation", installation)
        revisions.publish(write, Snapshot(revision=0, at=NOW, environment="test", installation=installation))


@pytest.fixture
def declared(sqlite_database: Database) -> Database:
    settings(sqlite_database)
    return sqlite_database


@pytest.fixture
def watched(declared: Database) -> Database:
    with declared.write() as write:
        plan = ReferencePlan(surface="home", start=NOW - 8 * DAY, end=NOW - DAY)
        drift.add_reference(write, plan, author="dora", reason=PAYLOAD, at=NOW - DAY)
        for number, rows in enumerate(([CALM, ROW | {"red": False}], [ROW, CALM], [ROW, CALM])):
            drift.save_look(
                write,
                Look(
                    surface="home",
                    origin="simulated",
                    family="decided",
                    start=NOW - (3 - number) * HOUR,
                    end=NOW - (2 - number) * HOUR,
                    at=NOW - (2 - number) * HOUR,
                    reference=1,
                    verdict="fail" if number == 2 else "warn",
                    sentence=f"Changed, and confirmed by a second window: {PAYLOAD}.",
                    features=tuple(rows),
                ),
            )
    return declared


def test_without_a_reference_it_is_unknown_and_one_may_be_set(declared):
    app = run("drift", surroundings(declared))
    text = told(app)
    assert not app.exception
    assert "Reference not set" in text
    assert [button.label for button in app.button if "Set reference" in button.label]


def test_the_verdict_the_features_and_since_when_are_told(watched):
    app = run("drift", surroundings(watched))
    text = told(app)
    assert not app.exception
    assert "harm shown" in text
    assert "What was asked and predicted" in text
    assert "holds simulated rows" in text
    assert "Reference 1:" in text
    assert PAYLOAD not in text
    rows = app.dataframe[0].value
    assert rows["feature"].tolist() == ["context.device", "score"]
    assert list(rows["course"][0]) == [0.3, 0.3, 0.3]
    assert rows["red since"].tolist()[1] == "–"
    assert rows["weight in ranker"].tolist()[0] == "25 %"
    assert [button.label for button in app.button if "Accept this drift" in button.label]


def test_accepted_drift_stands_with_its_name_and_may_be_withdrawn(watched):
    with watched.write() as write:
        drift.accept(
            write,
            Acceptance(
                surface="home",
                feature="context.device",
                reference=1,
                author="dora",
                reason="the app was relaunched",
                at=NOW - HOUR,
                until=NOW + DAY,
            ),
        )
    app = run("drift", surroundings(watched))
    text = told(app)
    assert "accepted by dora until" in text
    assert "the app was relaunched" in text
    assert [button.label for button in app.button if "Accept no longer" in button.label]


def test_who_may_not_run_jobs_sees_and_changes_nothing(watched):
    app = run("drift", surroundings(watched, role="marketer"))
    assert "harm shown" in told(app)
    closed = [button for button in app.button if button.label in {"Set reference", "Accept this drift"}]
    assert len(closed) == 2
    assert all(button.disabled for button in closed)
