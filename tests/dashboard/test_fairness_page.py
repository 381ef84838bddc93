"""The page Fairness: all parts of an audit, who sees its groups, how one is asked for and planned."""

from dashboard.queries.fairness import between, runs
from storage import findings
from storage.records.access import Scope
from storage.records.clock import HOUR
from storage.records.findings import Audit
from tests.dashboard.answers import ANSWERS
from tests.dashboard.drawn import run, told
from tests.dashboard.filling import NOW
from tests.dashboard.judged import FAIRNESS
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


def put(week, audit_id, *, hours, word, ratio):
    metric = FAIRNESS["attributes"][0]["metrics"][0]
    first, *others = metric["groups"]
    groups = [first | {"ratio": ratio, "too_small": False}, *others]
    part = FAIRNESS["attributes"][0] | {"metrics": [metric | {"verdict": word, "groups": groups}]}
    with week.write() as write:
        findings.save(
            write,
            Audit(
                audit_id=audit_id,
                kind="fairness",
                job_id="1",
                at=NOW + hours * HOUR,
                verdict=word,
                sentence="As it was.",
                population={"plan": "daily", "rows": 10},
                result=FAIRNESS | {"attributes": [part]},
            ),
        )


def test_a_gap_is_seen_to_open_and_to_close_run_by_run(week):
    assert "No earlier run of this plan" in told(run("fairness", surroundings(week)))
    for hours, (word, ratio) in enumerate([("pass", 1.0), ("fail", 0.6), ("fail", 0.7), ("pass", 0.9)], start=-3):
        put(week, f"daily-{hours}", hours=hours, word=word, ratio=ratio)
    with week.read() as read:
        found = findings.audits(read, "fairness", limit=30)
    chosen = next(one for one in found if one.audit_id == "daily-0")
    part = chosen.result["attributes"][0]
    held = runs(found, chosen, attribute=part["attribute"], measure=part["metrics"][0]["metric"])
    assert [one.verdict for one in held] == ["pass", "fail", "fail", "pass"]
    assert [value for _, value in between(held)[part["metrics"][0]["groups"][0]["group"]]] == [1.0, 0.6, 0.7, 0.9]
    other = next(one for one in found if one.population.get("plan") is None)
    assert [one.at for one in runs(found, other, attribute=part["attribute"], measure="click_rate")] == [other.at]
    words = told(run("fairness", surroundings(week)))
    assert "Verdict since" in words
    turns = words.split("Verdict since")[1]
    assert turns.index("fine") < turns.index("harm shown") < turns.rindex("fine")
