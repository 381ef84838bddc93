"""The watch over drift: references and windows without rows, two of three, accepted drift, quiet hours."""

import numpy as np
import pytest

from governance import drifting
from governance.api.metrics import expose
from governance.checks import watched
from governance.checks.check import Ground
from governance.checks.columns import load_shown
from governance.checks.compared import of_kept
from governance.checks.decided import load_decided
from governance.checks.drift_watch import Watched, watch
from governance.checks.judged import measure_all
from governance.patrol import Beat
from scoring_core.learning.outcomes import parameters
from storage import drift, jobs
from storage.anchors import Anchors
from storage.errors import Conflict, Forbidden, Invalid, NotFound
from storage.records.clock import DAY, HOUR, MINUTE
from tests.governance.conftest import warrant
from tests.worlds import ITEMS, START, World, fill, lake_at

BEGIN = START // HOUR * HOUR
"""When the reference begins; a day later the hours begin that are watched."""
HOURS = BEGIN + DAY
SECRET = b"of one installation"


def world(rows: int, *, at: int, long: int, moved: bool = False, seed: int = 1) -> World:
    """Live decisions spread over a time; ``moved``: another audience, that clicks three times as often."""
    rng = np.random.default_rng(seed)
    person = rng.integers(2, 6, rows) if moved else rng.integers(0, 4, rows)
    return World(
        item=rng.integers(0, ITEMS, rows),
        clicked=rng.random(rows) < (0.3 if moved else 0.1),
        position=rng.integers(1, 4, rows),
        contexts=[{"user_feature_0": f"u{each}", "age": float(each)} for each in person.tolist()],
        propensity=np.full(rows, 1 / ITEMS),
        at=at + (np.arange(rows) * (long / rows)).astype(np.int64),
    )


@pytest.fixture
def stand(control, sqlite_database, home, keys, clock):
    """A day of normal traffic, that is the reference; hours are added by tests."""
    fill(sqlite_database, lake_at(home), world(3_000, at=BEGIN, long=DAY), origin="live", log="normal")
    clock.at = HOURS
    reference(control)

    def at(now: int, **more) -> dict:
        clock.at = now
        return watch(
            Watched(database=sqlite_database, lake=lake_at(home), home=home, secret=keys.lookup, now=now, **more)
        )

    return at


def reference(control, start=BEGIN, end=HOURS, **more):
    return control.do("drift.reference", "home", {"start": start, "end": end, **more}, warrant("dora"))


def hour(database, home, number: int, *, rows: int = 700, moved: bool = False) -> None:
    made = world(rows, at=HOURS + number * HOUR, long=HOUR, moved=moved, seed=10 + number)
    fill(database, lake_at(home), made, origin="live", log=f"hour-{number}")


def seen(database, family="decided"):
    with database.read() as read:
        return drift.looks(read, "home", family=family)[::-1]


def test_a_reference_is_counted_once_and_holds_no_row(stand, sqlite_database, control):
    assert stand(HOURS)["references"] == 0, "the journal may bring more"
    assert stand(HOURS + 5 * MINUTE)["references"] == 1
    assert stand(HOURS + 2 * DAY)["references"] == 1, "outcomes are in"
    assert stand(HOURS + 3 * DAY)["references"] == 0
    with sqlite_database.read() as read:
        profile = drift.profile(read, "home", 1)
        found = drift.reference(read, "home")
    assert (found.version, found.author, found.counted_at) == (1, "dora", HOURS + 2 * DAY)
    assert {"context.user_feature_0", "context.age", "served_by", "slots"} == set(profile["decided"])
    assert {"item", "item.kind", "item.appeal", "position", "policy", "campaign", "click"} == set(profile["shown"])
    assert profile["decided"]["context.age"].rows == 3_000
    with pytest.raises(Conflict):
        reference(control)


def test_what_is_kept_measures_as_the_rows_do(stand, sqlite_database, home):
    stand(HOURS + 2 * DAY)
    hour(sqlite_database, home, 0, moved=True)
    database, lake = sqlite_database, lake_at(home)
    with database.read() as read:
        normal = drift.profile(read, "home", 1)
    asked = {"origins": ("live",), "start": BEGIN, "end": HOURS + HOUR}
    rows = {
        "decided": load_decided(database, lake, surface="home", **asked),
        "shown": load_shown(database, lake, bound=parameters(now=HOURS + 3 * DAY, **asked)),
    }
    for family, found in rows.items():
        later = found.inside(HOURS, HOURS + HOUR)
        raw = measure_all((column.compared(3_000) for column in found.columns), {})
        kept = measure_all(
            (
                of_kept(column.feature, normal[family][column.feature], column.distribution(SECRET))
                for column in later.columns
                if column.numbers is not None
            ),
            {},
        )
        by = {each.feature: each.effect for each in raw}
        assert {each.feature: pytest.approx(each.effect) for each in kept} == {
            each.feature: by[each.feature] for each in kept
        }


def test_calm_hours_pass_and_a_change_warns_first_and_fails_when_confirmed(stand, sqlite_database, home):
    for number in range(4):
        hour(sqlite_database, home, number, moved=number >= 2)
    done = stand(HOURS + 4 * HOUR + 4 * MINUTE)
    assert (done["windows"], done["looks"]) == (3, 3), "the fourth hour is not complete yet"
    assert [look.verdict for look in seen(sqlite_database)] == ["pass", "pass", "warn"]
    done = stand(HOURS + 4 * HOUR + 5 * MINUTE)
    assert (done["windows"], done["looks"], done["verdict"]) == (1, 1, "fail")
    last = seen(sqlite_database)[-1]
    red = {row["feature"] for row in last.features if row["red"]}
    assert red == {"context.user_feature_0", "context.age"}
    assert [last.features[0]["windows_red"], last.features[0]["windows"]] == [2, 3]
    assert stand(HOURS + 4 * HOUR + 6 * MINUTE)["looks"] == 0, "a window is looked at once"


def test_outcomes_are_looked_at_when_they_are_in(stand, sqlite_database, home):
    hour(sqlite_database, home, 0, moved=True)
    stand(HOURS + 2 * HOUR)
    assert seen(sqlite_database, "shown") == []
    stand(HOURS + 28 * HOUR)
    look = seen(sqlite_database, "shown")[0]
    red = {row["feature"]: row for row in look.features if row["red"]}
    assert set(red) == {"click"}
    assert (red["click"]["method"], red["click"]["kind"]) == ("rate", "outcome")
    assert red["click"]["effect"] == pytest.approx(np.log(3.0), abs=0.25)


def test_quiet_hours_are_put_together_until_there_is_enough(stand, sqlite_database, home):
    for number in range(5):
        hour(sqlite_database, home, number, rows=200)
    stand(HOURS + 6 * HOUR)
    looks = seen(sqlite_database)
    assert [(look.start, look.end) for look in looks] == [(HOURS, HOURS + 3 * HOUR)]
    assert looks[0].features[0]["n_current"] == 600


def test_rows_that_come_late_are_counted_again(stand, sqlite_database, home):
    hour(sqlite_database, home, 0, rows=100)
    assert stand(HOURS + 2 * HOUR)["windows"] == 1
    fill(sqlite_database, lake_at(home), world(50, at=HOURS, long=HOUR, seed=3), origin="live", log="late")
    assert stand(HOURS + 2 * HOUR)["windows"] == 1
    with sqlite_database.read() as read:
        assert drift.counted(read, "decided", since=0) == {("home", "live", HOURS): 150}


def test_accepted_drift_is_shown_and_weighs_nothing_until_its_day(stand, sqlite_database, home, control, clock):
    for number in range(3):
        hour(sqlite_database, home, number, moved=True)
    stand(HOURS + 2 * HOUR)
    until = HOURS + 3 * HOUR + 30 * MINUTE
    for feature in ("context.user_feature_0", "context.age"):
        control.do("drift.accept", "home", {"feature": feature, "until": until}, warrant("dora"))
    assert stand(HOURS + 3 * HOUR + 5 * MINUTE)["verdict"] == "pass"
    look = seen(sqlite_database)[-1]
    assert look.features[0]["accepted"] == {"by": "dora", "until": until, "reason": warrant().reason}
    assert "Accepted until a date: context." in look.sentence
    hour(sqlite_database, home, 3, moved=True)
    assert stand(HOURS + 4 * HOUR + 5 * MINUTE)["verdict"] == "fail", "it has run out"
    control.do("drift.withdraw", "home", {"feature": "context.age"}, warrant("dora"))
    with sqlite_database.read() as read:
        assert set(drift.accepted(read, "home")) == {"context.user_feature_0"}


def test_a_new_reference_ends_what_was_accepted_and_begins_anew(stand, sqlite_database, home, control, clock):
    for number in range(3):
        hour(sqlite_database, home, number, moved=True)
    stand(HOURS + 2 * HOUR)
    control.do("drift.accept", "home", {"feature": "context.age", "until": clock.at + 9 * DAY}, warrant("dora"))
    reference(control, HOURS, HOURS + 2 * HOUR)
    done = stand(HOURS + 4 * HOUR)
    assert (done["references"], done["looks"], done["verdict"]) == (1, 1, "pass")
    assert seen(sqlite_database)[-1].reference == 2
    with sqlite_database.read() as read:
        assert drift.in_force(drift.accepted(read, "home"), reference=2, now=clock.at) == {}


def test_a_feature_that_is_gone_and_one_that_is_new_are_red(stand, sqlite_database, home):
    made = world(700, at=HOURS, long=HOUR)
    for context in made.contexts:
        context["device"] = "phone"
        del context["age"]
    fill(sqlite_database, lake_at(home), made, origin="live", log="hour-0")
    stand(HOURS + 2 * HOUR)
    assert {row["feature"] for row in seen(sqlite_database)[0].features if row["red"]} == {
        "context.age",
        "context.device",
    }


def test_old_windows_and_looks_are_forgotten(stand, sqlite_database, home):
    hour(sqlite_database, home, 0)
    stand(HOURS + 2 * HOUR)
    stand(HOURS + 41 * DAY)
    with sqlite_database.read() as read:
        assert drift.counted(read, "decided", since=0) == {}
    assert len(seen(sqlite_database)) == 1
    stand(HOURS + 91 * DAY)
    assert seen(sqlite_database) == []


@pytest.mark.parametrize(
    ("kind", "key", "payload", "error"),
    [
        ("drift.reference", "nowhere", {"start": BEGIN, "end": HOURS}, Invalid),
        ("drift.reference", "home", {"start": HOURS, "end": BEGIN}, Invalid),
        ("drift.reference", "home", {"start": HOURS, "end": HOURS + 400 * DAY}, Invalid),
        ("drift.reference", "home", {"start": BEGIN, "end": HOURS, "methods": {"number": "guess"}}, Invalid),
        ("drift.reference", "home", {"start": BEGIN, "end": HOURS, "origins": ()}, Invalid),
        ("drift.accept", "cart", {"feature": "x", "until": HOURS + DAY}, NotFound),
        ("drift.accept", "home", {"feature": "x", "until": HOURS - DAY}, Invalid),
        ("drift.accept", "home", {"feature": "x", "until": HOURS + 400 * DAY}, Invalid),
        ("drift.withdraw", "home", {"feature": "x"}, NotFound),
    ],
)
def test_what_makes_no_sense_is_refused(stand, control, kind, key, payload, error):
    with pytest.raises(error):
        control.do(kind, key, payload, warrant("dora"))


def test_only_those_who_may_run_jobs_decide_about_drift(stand, control):
    with pytest.raises(Forbidden):
        control.do("drift.withdraw", "home", {"feature": "x"}, warrant("mary", "marketer"))


def test_the_job_is_due_when_a_reference_waits_or_a_window_has_ended(stand, sqlite_database, clock):
    def due(now: int) -> bool:
        with sqlite_database.read() as read:
            return drifting.due(read, now=now, window=HOUR)

    assert due(HOURS)
    with sqlite_database.write() as write:
        job = jobs.enqueue(write, name=drifting.WATCH, arguments={}, requested_by="schedule", now=HOURS + MINUTE)
    assert not due(HOURS + 3 * HOUR), "one is on its way"
    with sqlite_database.write() as write:
        jobs.claim(write, now=HOURS + MINUTE, job_id=job.job_id)
        jobs.finish(write, job.job_id, now=HOURS + 2 * MINUTE, result={})
    assert [due(HOURS + 4 * MINUTE), due(HOURS + 6 * MINUTE)] == [False, True]
    assert due(HOURS + HOUR + 6 * MINUTE)


def test_nothing_is_due_where_nobody_said_what_is_normal(control, sqlite_database):
    with sqlite_database.read() as read:
        assert not drifting.due(read, now=HOURS, window=HOUR)


def test_the_patrol_and_the_metrics_say_what_the_windows_say(stand, sqlite_database, home, keys):
    anchors = Anchors(home / "anchors.jsonl", keys.signing)

    def said(now: int):
        with sqlite_database.read() as read:
            return watched.look(Ground(read=read, now=now, home=home, keys=keys, anchors=anchors))

    assert said(HOURS).verdict == "unknown"
    for number in range(2):
        hour(sqlite_database, home, number, moved=True)
    stand(HOURS + 3 * HOUR)
    found = said(HOURS + 3 * HOUR)
    assert found.verdict == "fail"
    assert set(found.figures["home, decided, live"]) == {"context.user_feature_0", "context.age"}
    assert said(HOURS + 5 * DAY).verdict == "unknown"
    beat = Beat(database=sqlite_database, home=home, keys=keys, anchors=anchors)
    text = expose(beat, HOURS, "text/plain")[0].decode()
    assert 'fairlead_drift_features_flagged{family="decided",origin="live",surface="home"} 2.0' in text
    assert 'fairlead_drift_psi{feature="context.age",origin="live",surface="home"}' in text
