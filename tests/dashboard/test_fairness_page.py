"""The page Fairness: all parts of an audit, who sees its groups, how one is asked for and planned."""

from storage.records.access import Scope
from tests.dashboard.answers import ANSWERS
from tests.dashboard.drawn import run, told
from tests.dashboard.table_control import TableControl, person, surroundings


def test_groups_of_a_fairness_audit_need_their_scope(week):
    assert "fairness:read" in told(run("fairness", surroundings(week, role="marketer")))
    assert "## By age" not in told(run("fairness", surroundings(week, role="marketer")))
    assert "## By age" in told(run("fairness", surroundings(week)))


def test_a_fairness_audit_shows_all_its_parts(week):
    app = run("fairness", surroundings(week))
    words = told(app)
    for said in ("Every comparison", "Over time", "Intersections", "Providers", "By the clock", "Kept apart"):
        assert said in words
    assert "Worst supported cell" in words and "0.60 × everyone else" in words
    assert "never shown" in words and "Not measured: benefit" in words
    assert "No sensitive attribute is kept" in words and "No audit runs by the clock" in words
    assert "Needs" not in {error.value for error in app.error} and not app.error


def test_an_audit_is_asked_for_what_was_chosen_and_planned_by_the_clock(week):
    context = surroundings(week, answers={**ANSWERS, "/jobs": {"state": "queued"}, "/fairness/plans": {"seq": 1}})
    control = context.control
    assert isinstance(control, TableControl)
    app = run("fairness", context)
    app.multiselect(key="fairness-attributes").set_value(["item.provider"]).run()
    app.multiselect(key="fairness-metrics").set_value(["click_rate"]).run()
    app.number_input(key="fairness-days").set_value(28).run()
    app.text_input(key="plan-key").set_value("monthly").run()
    app.text_input(key="plan-new-reason").set_value("watch providers every day")
    app.button(key="FormSubmitter:plan-new-form-Plan this audit").click().run()
    order = {"attributes": ["item.provider"], "metrics": ["click_rate"], "days": 28}
    plan = {"key": "monthly", "every_hours": 24, "order": order}
    assert control.given == [("/fairness/plans", {"plan": plan, "reason": "watch providers every day"})]


def test_a_command_asks_for_a_reason_before_it_is_sent(week):
    context = surroundings(week, answers={**ANSWERS, "/jobs": {"state": "queued"}})
    control = context.control
    assert isinstance(control, TableControl)
    app = run("fairness", context)
    app.button(key="FormSubmitter:run-fairness-form-Run audit").click().run()
    assert control.given == []
    app.text_input(key="run-fairness-reason").set_value("monthly look at fairness")
    app.button(key="FormSubmitter:run-fairness-form-Run audit").click().run()
    assert control.given == [("/jobs", {"name": "fairness", "arguments": {}, "reason": "monthly look at fairness"})]


def test_a_command_that_may_not_be_given_is_closed(week):
    app = run("fairness", surroundings(week, role="marketer"))
    assert app.button(key="run-fairness-closed").disabled
    assert not person("marketer").may(Scope.JOB_RUN)
