"""Somebody else is quicker: the three sides are shown, what was filled in is kept, and goes on from what stands now."""

from typing import Any

import orjson

from storage.errors import Stale
from tests.dashboard.answers import ANSWERS
from tests.dashboard.drawn import run, told
from tests.dashboard.table_control import surroundings
from tests.dashboard.week import NOW

FINE = {"problems": [], "conflicts": [], "level": "D1"}
DRAFT = {"form": "rule.lift", "values": {}, "idempotency_key": "5b1c1c3e-8a55-4d0e-9a3d-0a1b2c3d4e5f", "at": NOW}
LIFT = ANSWERS["/rules"]["rules"][0]


def desk(database: Any, **more: Any) -> Any:
    return surroundings(database, answers={**ANSWERS, "/rules/validate": FINE, "/drafts/rule.lift": DRAFT, **more})


def changed(context: Any, **fields: Any) -> None:
    """Let somebody else change the rule."""
    rule = LIFT["rule"] | {"version": LIFT["rule"]["version"] + 1} | fields
    view = LIFT | {"rule": rule, "etag": "f"}
    context.control.answers = {**context.control.answers, "/rules": {"rules": [view]}}


def begun(database: Any) -> tuple[Any, Any]:
    context = desk(database, **{"/drafts/rule.lift": DRAFT | {"draft": None}})
    app = run("rules", context, rule="lift")
    app.number_input(key="form-lift-2-priority").set_value(7).run()
    return context, app


def sides_of(app: Any) -> list[dict[str, Any]]:
    table = next(one for one in app.dataframe if "it is now" in one.value.columns)
    return [dict(row) for row in table.value.to_dict("records")]


def sent(context: Any) -> tuple[dict[str, Any], str | None]:
    place = next(place for place, (path, _) in enumerate(context.control.given) if path == "/rules/lift")
    return dict(context.control.given[place][1]["rule"]), context.control.tagged[place]


def save(context: Any, app: Any, key: str) -> None:
    context.control.answers = {**context.control.answers, "/rules/lift": {"revision": 9}}
    app.text_input(key=f"{key}-save-1-reason").set_value("lifts what is liked")
    app.button(key=f"FormSubmitter:{key}-save-1-form-Save").click().run()


def test_an_untouched_form_follows_what_stands(week):
    context = desk(week, **{"/drafts/rule.lift": DRAFT | {"draft": None}})
    app = run("rules", context, rule="lift")
    changed(context, priority=4)
    app.run()
    assert app.number_input(key="form-lift-3-priority").value == 4
    assert "Somebody else changed" not in told(app)


def test_a_form_that_was_overtaken_shows_three_sides_and_sends_nothing(week):
    context, app = begun(week)
    changed(context, priority=4, name="theirs")
    app.text_input(key="form-lift-2-save-reason").set_value("lifts what is liked")
    app.button(key="FormSubmitter:form-lift-2-save-form-Save").click().run()
    assert not app.exception
    assert "Somebody else changed this rule" in told(app)
    rows = {row["field"]: row for row in sides_of(app)}
    was = LIFT["rule"]["priority"]
    assert [rows["priority"][side] for side in ("it was", "it is now", "you want")] == [str(was), "4", "7"]
    assert rows["priority"][""] == "both changed it" and rows["name"][""] == "they changed it"
    assert "version" not in rows
    assert not any(path == "/rules/lift" for path, _ in context.control.given)
    assert app.number_input(key="form-lift-2-priority").value == 7


def test_fields_are_taken_one_by_one_and_sent_upon_the_new_version(week):
    context, app = begun(week)
    changed(context, priority=4, name="theirs")
    app.run()
    app.button(key="merge form-lift-2").click().run()
    assert app.number_input(key="form-lift-3-1-priority").value == 7
    assert app.text_input(key="form-lift-3-1-name").value == "theirs"
    kept = [body["values"] for path, body in context.control.given if path == "/drafts/rule.lift" and "values" in body]
    assert kept[-1]["-priority"] == 7 and orjson.loads(kept[-1]["-found"])["etag"] == "f"
    save(context, app, "form-lift-3-1")
    rule, tag = sent(context)
    assert (rule["priority"], rule["name"], tag) == (7, "theirs", "f")


def test_a_field_of_theirs_or_all_of_mine_may_be_chosen(week):
    context, app = begun(week)
    changed(context, priority=4, name="theirs")
    app.run()
    whose = next(one for one in app.get("button_group") if one.key == "whose form-lift-2 priority")
    whose.set_value("theirs").run()
    app.button(key="merge form-lift-2").click().run()
    assert app.number_input(key="form-lift-3-1-priority").value == 4
    context, app = begun(week)
    changed(context, priority=4, name="theirs")
    app.run()
    app.button(key="mine form-lift-2").click().run()
    assert app.number_input(key="form-lift-3-1-priority").value == 7
    assert app.text_input(key="form-lift-3-1-name").value == LIFT["rule"]["name"]


def test_all_of_theirs_forgets_the_draft(week):
    context, app = begun(week)
    changed(context, priority=4)
    app.run()
    app.button(key="theirs form-lift-2").click().run()
    assert app.number_input(key="form-lift-3-1-priority").value == 4
    assert ("/drafts/rule.lift", {}) in context.control.given


def test_a_new_session_still_knows_what_its_draft_began_from(week):
    context = desk(week)
    found = orjson.dumps({"document": LIFT["rule"], "etag": "e"}).decode()
    draft = {**DRAFT, "values": {"-priority": 7, "-found": found}}
    context.control.answers = {**context.control.answers, "/drafts/rule.lift": DRAFT | {"draft": draft}}
    changed(context, priority=4)
    app = run("rules", context, rule="lift")
    assert app.number_input(key="form-lift-2-priority").value == 7
    assert "Somebody else changed this rule" in told(app)


def test_an_answer_of_412_draws_the_page_anew(week):
    context, app = begun(week)
    context.control.answers = {**context.control.answers, "/rules/lift": Stale("it changed since it was read")}
    app.text_input(key="form-lift-2-save-reason").set_value("lifts what is liked")
    app.button(key="FormSubmitter:form-lift-2-save-form-Save").click().run()
    assert not app.exception and not app.error
    assert "Nothing was sent" in app.toast[0].value
    assert app.number_input(key="form-lift-2-priority").value == 7


def test_a_step_is_not_taken_upon_what_its_reader_did_not_see(week):
    context = surroundings(week)
    app = run("policies", context)
    policy = ANSWERS["/policies"]["policies"][0]
    stepping = next(one.key for one in app.button if one.key and one.key.startswith("FormSubmitter:rollout-form-"))
    app.text_input(key="rollout-reason").set_value("the next step of it")
    app.text_input(key="rollout-confirm").set_value(policy["key"])
    context.control.answers = {**ANSWERS, "/policies": {"policies": [policy | {"etag": "moved"}]}}
    app.button(key=stepping).click().run()
    assert "Nothing was sent" in told(app)
    assert not any(path.endswith("/rollout") for path, _ in context.control.given)
