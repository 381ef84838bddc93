"""The page Rules: a rule is written with what it would meet in view, or as JSON where the form says too little."""

from tests.dashboard.answers import ANSWERS
from tests.dashboard.drawn import run, told
from tests.dashboard.table_control import TableControl, surroundings


def test_a_rule_is_written_with_what_it_would_meet_in_view(week):
    level = {"problems": [], "conflicts": ANSWERS["/rules/conflicts"]["conflicts"], "level": "D2"}
    context = surroundings(week, answers={**ANSWERS, "/rules/validate": level})
    control = context.control
    assert isinstance(control, TableControl)
    app = run("rules", context)
    assert "Name a key" in told(app)
    app.text_input(key="form-new-key").set_value("fresh").run()
    app.selectbox(key="form-new-when-name-0").set_value("user.clicks").run()
    app.text_input(key="form-new-when-value-0").set_value("3").run()
    path, sent = control.given[-1]
    assert (
        path == "/rules/validate"
        and sent["rule"]["key"] == "fresh"
        and sent["rule"]["when"] == {"user.clicks": {"$eq": 3}}
    )
    assert "Both pin slot 1" in told(app)
    app.text_input(key="form-new-save-reason").set_value("lifts what is liked")
    app.text_input(key="form-new-save-confirm").set_value("fresh")
    app.button(key="FormSubmitter:form-new-save-form-Create").click().run()
    path, sent = next(one for one in reversed(control.given) if one[0] == "/rules")
    assert sent["confirm"] == "fresh" and sent["reason"] == "lifts what is liked"


def test_a_rule_that_says_more_than_the_form_is_written_as_json(week):
    app = run("rules", surroundings(week), rule="odd")
    assert app.selectbox(key="rule").value == "odd"
    assert "$or" in app.text_area(key="form-odd-2-json").value
    assert {box.key for box in run("rules", surroundings(week), rule="lift").selectbox} >= {"form-lift-2-when-name-0"}
