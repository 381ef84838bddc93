"""The page Models: the way back of a model, and versions for those who may not change them."""

from tests.dashboard.answers import ANSWERS
from tests.dashboard.drawn import run, told
from tests.dashboard.table_control import TableControl, surroundings


def test_the_way_back_of_a_model_says_what_it_does_and_asks_why(week):
    answers = {**ANSWERS, "/models/ranker/rollback": {"revision": 9}}
    context = surroundings(week, answers=answers)
    control = context.control
    assert isinstance(control, TableControl)
    app = run("models", context, model="ranker")
    assert "a person puts the next one in service" in told(app)
    label = "Roll back to 20260100T000000\\.000000Z"
    app.button(key=f"FormSubmitter:back-form-{label}").click().run()
    assert control.given == []
    app.text_input(key="back-reason").set_value("worse on the home page")
    app.button(key=f"FormSubmitter:back-form-{label}").click().run()
    assert control.given == [("/models/ranker/rollback", {"reason": "worse on the home page"})]


def test_versions_of_models_may_be_looked_at_by_those_who_may_not_change_them(week):
    app = run("models", surroundings(week, role="marketer"), model="ranker")
    assert app.button(key="back-closed").disabled
    assert app.button(key="retrain-minor-closed").disabled
    tables = [one.value for one in app.dataframe]
    listed = next(one for one in tables if "stands" in one.columns)
    assert sorted(listed["stands"]) == ["in service", "kept out", "served before", "taken back"]
    assert any("rows 42,000" in str(one) for table in tables if "what" in table.columns for one in table["value"])
