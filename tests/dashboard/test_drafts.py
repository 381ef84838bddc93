"""A half-filled form outlives its session; sending it twice is one command; discarding it forgets it."""

from typing import Any

from dashboard import drafts
from tests.dashboard.answers import ANSWERS
from tests.dashboard.drawn import run, told
from tests.dashboard.table_control import TableControl, surroundings
from tests.dashboard.week import NOW

FINE = {"problems": [], "conflicts": [], "level": "D1"}
KEPT = {"form": "rule-new", "values": {}, "idempotency_key": "5b1c1c3e-8a55-4d0e-9a3d-0a1b2c3d4e5f", "at": NOW}


def desk(database: Any, **more: Any) -> Any:
    return surroundings(database, answers={**ANSWERS, "/rules/validate": FINE, "/drafts/rule-new": KEPT, **more})


def kept_by(context: Any) -> list[dict[str, Any]]:
    control = context.control
    assert isinstance(control, TableControl)
    return [dict(body["values"]) for path, body in control.given if path == "/drafts/rule-new" and "values" in body]


def test_each_change_is_kept_and_an_untouched_form_is_not(week):
    context = desk(week, **{"/drafts/rule-new": {"draft": None, **KEPT}})
    app = run("rules", context)
    assert kept_by(context) == []
    app.text_input(key="form-new-key").set_value("fresh").run()
    app.selectbox(key="form-new-when-name-0").set_value("user.clicks").run()
    assert kept_by(context)[-1]["-key"] == "fresh"
    assert kept_by(context)[-1]["-when-name-0"] == "user.clicks"
    assert not any(name.startswith("-save") for name in kept_by(context)[-1])
    assert "half filled" in told(app.run())


def test_a_new_session_finds_the_form_as_it_was_left(week):
    values = {"-key": "fresh", "-when-name-0": "user.clicks", "-when-value-0": "3", "-days": [0, 4], "-enabled": False}
    app = run("rules", desk(week, **{"/drafts/rule-new": {"draft": {**KEPT, "values": values}}}))
    assert app.text_input(key="form-new-key").value == "fresh"
    assert app.text_input(key="form-new-when-value-0").value == "3"
    assert app.toggle(key="form-new-enabled").value is False
    assert "half filled" in told(app)


def test_a_draft_that_no_longer_fits_its_form_is_forgotten_not_fatal(week):
    context = desk(week, **{"/drafts/rule-new": {"draft": {**KEPT, "values": {"-priority": "much", "-key": "x"}}}})
    app = run("rules", context)
    assert not app.exception
    assert ("/drafts/rule-new", {}) in context.control.given


def test_discarding_forgets_it(week):
    context = desk(week, **{"/drafts/rule-new": {"draft": {**KEPT, "values": {"-key": "fresh"}}}})
    app = run("rules", context)
    context.control.answers = {**context.control.answers, "/drafts/rule-new": {"draft": None}}
    app.button(key="discard form-new").click().run()
    assert ("/drafts/rule-new", {}) in context.control.given
    assert app.text_input(key="form-new-1-key").value == ""


def test_the_same_form_is_sent_under_the_same_name_by_another_session(week):
    names = []
    for _session in range(2):
        context = desk(week, **{"/drafts/rule-new": {**KEPT, "draft": {**KEPT, "values": {"-key": "fresh"}}}})
        app = run("rules", context)
        app.text_input(key="form-new-save-reason").set_value("lifts what is liked")
        app.button(key="FormSubmitter:form-new-save-form-Create").click().run()
        place = next(place for place, (path, _) in enumerate(context.control.given) if path == "/rules")
        names.append(context.control.named[place])
    assert names[0] == names[1] != ""


def test_the_name_of_a_command_follows_from_its_order(monkeypatch):
    monkeypatch.setattr(drafts.st, "session_state", {})
    one = drafts.once("pause", {"reason": "a"})
    assert one == drafts.once("pause", {"reason": "a"})
    assert one != drafts.once("pause", {"reason": "b"}) != drafts.once("resume", {"reason": "b"})
