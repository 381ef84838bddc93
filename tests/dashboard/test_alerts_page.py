"""SLO and alerts: each sees their own, one alert in full, budgets as the raw minutes give them, what buttons order."""

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.queries import alerts as queries
from dashboard.queries.divided import divided
from governance.alerts.indicators import INDICATORS
from storage import indicators, series
from storage.records.clock import HOUR, MINUTE
from tests.dashboard.answers import ANSWERS
from tests.dashboard.drawn import run, told
from tests.dashboard.table_control import surroundings
from tests.dashboard.week import NOW, PAYLOAD

EVERYBODY = ("operation", "models", "campaigns")


def burned(context, budgets):  # runs as a script of its own
    from dashboard.panels import objectives

    objectives.burn_down(context, budgets)


def labels(app):
    return {one.label for one in app.button}


@pytest.mark.parametrize(
    ("role", "seen", "hidden"),
    [
        ("marketer", {"Ctr"}, {"Errors", "Drift", "Disk", "Decisions within 50 ms"}),
        ("data_scientist", {"Ctr", "Drift", "Decisions within 50 ms"}, {"Errors", "Disk"}),
        ("ops", {"Ctr", "Drift", "Errors", "Disk", "Decisions within 50 ms"}, set()),
    ],
)
def test_each_sees_their_own(week, role, seen, hidden):
    app = run("alerts", surroundings(week, role=role))
    words = told(app) + "".join(one.label for one in app.metric)
    assert {name for name in seen | hidden if name in words} == seen


def test_what_has_one_cause_stands_together_and_the_gravest_first(week):
    with week.read() as read:
        found = queries.board(read, now=NOW, audiences=EVERYBODY, start=NOW - 7 * 24 * HOUR, end=NOW)
    groups = {cause: [one.alert.name for one in group] for cause, group in found.by_cause().items()}
    assert groups == {
        "Serving": ["errors", "silence"],
        "What people are shown": ["ctr"],
        "Models and fairness": ["drift"],
        "Collection and schedule": ["disk"],
    }
    states = {one.alert.name: one.state for one in found.open}
    assert states == {
        "errors": "firing",
        "silence": "firing",
        "ctr": "firing",
        "drift": "acknowledged",
        "disk": "silenced",
    }
    assert {one.alert.name for one in found.over} == {"latency", "jobs"}
    assert [one.name for one in found.noisy] == ["latency"]


def test_the_bell_counts_what_waits_for_the_reader(week):
    for role, count in (("marketer", "1 alert"), ("data_scientist", "1 alert"), ("ops", "3 alerts")):
        app = run("live", surroundings(week, role=role))
        assert f"{count}]" in told(app) or any(count in str(one.value) for one in app.markdown), role


def test_one_alert_says_what_coincides_what_to_do_and_who_was_told(week):
    app = run("alerts", surroundings(week, role="ops"), alert="alert-errors", do="silence")
    words = told(app)
    assert "This alert" in words and "differs most" in words
    assert not app.error, "what fires is listed beside the one that is open"
    assert "Take back the last change of policy" in words
    assert "Coincides with its first sign" in words and "need not be the cause" in words
    assert "desk: fired, failed after 6 attempts" in words
    assert [one.proto.expanded for one in app.expander] == [True]
    assert app.selectbox(key="silence-alert-errors-minutes").options == ["15 min", "1 h", "4 h", "8 h", "1 d"]


def test_of_consent_an_hour_at_most(week):
    from dataclasses import replace

    from storage import alerts

    with week.write() as write:
        kept = alerts.find(write, "alert-errors")
        alerts.save(write, replace(kept, alert_id="alert-consent", fingerprint="check:consent", name="consent"))
    app = run("alerts", surroundings(week, role="ops"), alert="alert-consent", do="silence")
    assert app.selectbox(key="silence-alert-consent-minutes").options == ["15 min", "1 h"]
    with week.write() as write:
        alerts.save(write, replace(kept, alert_id="alert-consent", fingerprint="check:consent", resolved_at=1))


def test_somebody_elses_alert_does_not_exist(week):
    app = run("alerts", surroundings(week, role="marketer"), alert="alert-errors")
    assert "no such alert among those that you may see" in told(app)


def test_a_silence_is_ordered_with_its_end_and_its_reason(week):
    around = surroundings(week, role="ops", answers={"/alerts/alert-errors/silence": {"until": 1}})
    app = run("alerts", around, alert="alert-errors", do="silence")
    app.selectbox(key="silence-alert-errors-minutes").set_value(60)
    app.text_input(key="silence-alert-errors-reason").set_value("the disk is being replaced")
    next(one for one in app.button if one.label == "Silence").click()
    app.run()
    assert around.control.given == [
        ("/alerts/alert-errors/silence", {"minutes": 60, "reason": "the disk is being replaced"})
    ]


def test_a_runbook_is_shown_by_its_address(week):
    assert "Throw the kill switch first" in told(run("alerts", surroundings(week), runbook="consent"))
    assert "has no runbook of its own" in told(run("alerts", surroundings(week), runbook="<script>"))


def test_budgets_are_those_of_the_raw_minutes(week):
    with week.read() as read:
        found = {one.standing.slo.key: one for one in queries.budgets(read, now=NOW)}
        good, valid = indicators.counted(read, "availability", start=NOW - 30 * 24 * HOUR, end=NOW)
    one = found["availability"].standing
    assert (one.budget.counted.good, one.budget.counted.valid) == (good, valid) and valid > 100_000
    assert one.budget.left == pytest.approx(1 - (1 - good / valid) / 0.001)
    assert one.budget.exhausted_in_us == 0 and [burn.fires for burn in one.burns] == [False, True, True]
    assert found["consent"].standing.budget.left is None
    shares = [value for _, value in found["availability"].shares]
    assert None in shares, "the hour that nobody observed is a gap"
    assert all(value is None or 0.98 <= value <= 1.0 for value in shares)


def test_a_burn_down_ends_at_what_is_left_of_the_range(week):
    with week.read() as read:
        points, counts = queries.burned_down(
            read, indicator="availability", objective=0.9, start=NOW - 12 * HOUR, end=NOW
        )
        good, valid = indicators.counted(read, "availability", start=points[0][0], end=NOW)
    assert sum(counts) == valid
    assert points[-1][1] == pytest.approx(1 - (valid - good) / (valid * 0.1))
    assert points[1][0] - points[0][0] == 4 * MINUTE


def test_an_indicator_by_dimension_adds_up_to_what_was_counted(week):
    one = INDICATORS["availability"]
    with week.read() as read:
        parts = divided(read, indicator="availability", start=NOW - HOUR, end=NOW)
        steps = series.total(read, one.metric, start=NOW - HOUR, end=NOW, by=one.by)
    raw = [one.tally(step) for step in steps if step.value is not None]
    good, valid = sum(pair[0] for pair in raw), sum(pair[1] for pair in raw)
    assert valid > 0
    for dimension in one.dimensions:
        mine = [part for part in parts if part.dimension == dimension]
        assert (sum(part.good.hits for part in mine), sum(part.good.n for part in mine)) == (good, valid)
        assert sum(part.bad for part in mine) == valid - good
    assert [part.bad for part in parts] == sorted((part.bad for part in parts), reverse=True)
    with week.read() as read:
        budgets = queries.budgets(read, now=NOW)
    app = AppTest.from_function(burned, args=(surroundings(week, role="ops"), budgets), default_timeout=60).run()
    assert not app.exception
    assert "By dimension" in told(app) and any("bad" in frame.value for frame in app.dataframe)


def test_a_target_of_ones_own_is_written_with_what_it_bears(week):
    context = surroundings(week, role="ops")
    app = run("alerts", context)
    app.text_input(key="slo-new-key").set_value("fast").run()
    assert "It bears 1 % bad ones: like 7.2 h of outage" in told(app).replace("1.00", "1").replace("7.20", "7.2")
    app.number_input(key="slo-new-target").set_value(99.9).run()
    context.control.answers = {**context.control.answers, "/slos": {**ANSWERS["/slos"], "revision": 1}}
    app.text_input(key="slo-new-save-reason").set_value("the shop promises it")
    app.button(key="FormSubmitter:slo-new-save-form-Set target").click().run()
    sent = next(body for path, body in context.control.given if path == "/slos")
    assert sent["slo"]["key"] == "fast" and sent["slo"]["objective"] == 0.999
    assert sent["reason"] == "the shop promises it"


def test_to_ask_for_less_wants_the_key_typed(week):
    app = run("alerts", surroundings(week, role="ops"), target="shop")
    key = next(one.key for one in app.number_input if one.key.endswith("-target"))
    assert PAYLOAD not in told(app)
    app.number_input(key=key).set_value(90.0).run()
    start = key.removesuffix("-target")
    assert any(one.key == f"{start}-save-confirm" for one in app.text_input)
    app.number_input(key=key).set_value(99.5).run()
    assert not any(one.key == f"{start}-save-confirm" for one in app.text_input)


def test_targets_are_set_by_operations_alone(week):
    assert "slo-new-key" not in {one.key for one in run("alerts", surroundings(week, role="marketer")).text_input}
