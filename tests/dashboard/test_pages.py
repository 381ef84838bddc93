"""Every page, for every role, with a week of data, with none, and with its sources away."""

import pytest
import streamlit as st
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from dashboard.entrance import ADDRESSES
from dashboard.pages.registry import PAGES, menu
from storage.database import Database
from storage.records.access import Scope
from tests.dashboard.answers import ANSWERS, NOTHING
from tests.dashboard.filling import fill
from tests.dashboard.table_control import TableControl, person, surroundings

ROLES = ("marketer", "data_scientist", "ops", "admin")
KEYS = tuple(page.key for page in PAGES)


def script(key, context):  # runs as a script of its own
    from dashboard import shell
    from dashboard.pages.registry import PAGES

    shell.draw(next(page for page in PAGES if page.key == key), context)


def run(key, context, **query):
    st.cache_data.clear()
    app = AppTest.from_function(script, args=(key, context), default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def told(app) -> str:
    return "\n".join(
        str(one.value) for kind in ("markdown", "error", "warning", "info", "title") for one in app.get(kind)
    )


@pytest.fixture(scope="module")
def week(tmp_path_factory, _sqlite_template):
    path = tmp_path_factory.mktemp("week") / "fairlead.db"
    path.write_bytes(_sqlite_template.read_bytes())
    database = Database(f"sqlite:///{path}")
    fill(database)
    yield database
    database.close()


@pytest.fixture(scope="module")
def blank(tmp_path_factory, _sqlite_template):
    path = tmp_path_factory.mktemp("blank") / "fairlead.db"
    path.write_bytes(_sqlite_template.read_bytes())
    database = Database(f"sqlite:///{path}")
    yield database
    database.close()


@pytest.fixture(scope="module")
def broken(tmp_path_factory):
    """A database that has lost its tables: every reading fails."""
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('broken') / 'fairlead.db'}")
    yield database
    database.close()


def allowed(role: str, key: str) -> bool:
    return person(role).may(next(page for page in PAGES if page.key == key).scope)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("key", KEYS)
def test_a_week_of_data_is_drawn_without_a_fault(week, key, role):
    app = run(key, surroundings(week, role=role))
    assert not app.exception
    if allowed(role, key):
        assert not [error.value for error in app.error]
    else:
        assert ["FL-1403" in error.value for error in app.error] == [True]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("key", KEYS)
def test_nothing_at_all_is_an_invitation_not_a_fault(blank, key, role):
    app = run(key, surroundings(blank, role=role, answers=NOTHING))
    assert not app.exception
    if allowed(role, key):
        assert not [error.value for error in app.error]
        assert ":material/explore:" in told(app)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("key", KEYS)
def test_sources_that_are_away_leave_the_page_alive(broken, key, role):
    app = run(key, surroundings(broken, role=role, answers=None))
    assert not app.exception
    assert app.error
    assert all("FL-" in error.value for error in app.error)
    assert next(page for page in PAGES if page.key == key).title in told(app)


def test_the_menu_and_the_addresses_name_the_same_pages():
    assert KEYS == ADDRESSES
    for role in ROLES:
        listed = [page for pages in menu(person(role)).values() for page in pages]
        assert {page.key for page in listed} == {key for key in KEYS if allowed(role, key)}


def test_every_page_asks_a_question():
    assert all(page.question.endswith("?") and len(page.question) > 20 for page in PAGES)


@pytest.mark.parametrize("key", KEYS)
def test_every_figure_and_control_explains_itself(week, key):
    app = run(key, surroundings(week), **({"decision": "d-1"} if key == "explorer" else {}))
    figures = [*app.metric, *app.selectbox, *app.text_input]
    assert [one.label for one in figures if not one.proto.help] == []


@pytest.mark.parametrize("key", KEYS)
def test_no_name_is_drawn_as_markup(week, key):
    app = run(key, surroundings(week), **({"decision": "d-1"} if key == "explorer" else {}))
    shown = told(app) + "".join(f"{one.label}{one.value}{one.delta}" for one in app.metric)
    for live in ("![x](", "<script>", ":red[b]", "http://evil", "www.evil", "**c**", "$a$"):
        assert live not in shown


def test_a_marketer_sees_no_sensitive_segment(week):
    seen = run("heatmaps", surroundings(week, role="marketer"))
    assert "segment" not in {box.key for box in seen.selectbox}
    assert "segment" in {box.key for box in run("heatmaps", surroundings(week)).selectbox}


def test_groups_of_a_fairness_audit_need_their_scope(week):
    assert "fairness:read" in told(run("fairness", surroundings(week, role="marketer")))
    assert "#### By age" not in told(run("fairness", surroundings(week, role="marketer")))
    assert "#### By age" in told(run("fairness", surroundings(week)))


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


def test_filters_come_from_the_address(week):
    app = run("heatmaps", surroundings(week), campaign="men", rows="Simulated rows", range="Last 30 days")
    assert app.selectbox(key="campaign").value == "men"
    assert app.selectbox(key="rows").value == "simulated"
    assert "last 30 d" in told(app)


def test_simulated_rows_are_named_wherever_they_are_drawn(week):
    assert "holds simulated rows" in told(run("overview", surroundings(week)))
    assert "holds simulated rows" in told(run("heatmaps", surroundings(week), rows="All rows"))
    assert "holds simulated rows" not in told(run("heatmaps", surroundings(week)))


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


def test_a_broken_chain_is_shown_as_harm(week):
    app = run("ledger", surroundings(week))
    app.button(key="verify").click().run()
    assert "broken at entry 5" in told(app)


def test_the_last_good_reading_is_shown_when_the_database_goes_away(tmp_path, _sqlite_template):
    path = tmp_path / "fairlead.db"
    path.write_bytes(_sqlite_template.read_bytes())
    database = Database(f"sqlite:///{path}")
    fill(database)
    app = run("overview", surroundings(database))
    assert not app.error
    with database.write() as write:
        write.execute(text("ALTER TABLE cells RENAME TO gone"))
    st.cache_data.clear()
    app.run()
    assert "stale: read" in told(app)
    assert any(one.label == "Real impressions" and one.value != "–" for one in app.metric)
    database.close()


@pytest.mark.parametrize("key", ["policies", "explorer", "fairness", "live", "system"])
def test_control_away_is_said_once_a_panel_and_breaks_none(week, key):
    query = {"decision": "d-1"} if key == "explorer" else {}
    app = run(key, surroundings(week, answers=None), **query)
    assert not app.exception
    assert [error.value for error in app.error if "FL-1503" not in error.value] == []


def test_few_people_are_not_counted_for_who_may_not_look_them_up(week):
    exact, blurred = (run("consent", surroundings(week, role=role)) for role in ("ops", "marketer"))
    values = [[one.value for one in app.metric if one.label == "Opted out"] for app in (exact, blurred)]
    assert values[0][0].isdigit()
    assert values[1] in (["< 50"], ["0"])
    assert (values[0] == ["0"]) == (values[1] == ["0"])


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


def test_plugins_are_shown_with_what_troubles_them(week):
    app = run("system", surroundings(week))
    assert "1 of 2 plugins are asked" in told(app)
    (shown,) = [frame.value for frame in app.dataframe if "last trouble" in frame.value]
    assert shown["state"].tolist() == ["asked", "broken, skipped"]
    assert shown["answered"].tolist()[0] == 7


def test_a_what_if_is_read_with_what_it_rests_on(week):
    app = run("whatif", surroundings(week))
    said = told(app)
    assert "Decisions that would differ" in said
    assert "400 of 410 came out again as recorded, 390 of them bit for bit" in said
    assert "not recorded, so taken as unknown" in said
    assert "The figures all the same" not in said
    assert [one.value for one in app.metric][:3] == ["10 %", "5.0 %", "30"]
    refused = told(app.selectbox(key="run").select_index(1).run())
    assert "They rest on too little to be read as an answer." in refused
    assert "What it really earned" in refused
    assert "Exact: what would be shown" not in refused


def test_trying_something_asks_for_a_reason_and_names_the_traffic(week):
    context = surroundings(week)
    app = run("whatif", context)
    app.text_input(key="try-reason").set_value("what would version two have done")
    app.button(key="FormSubmitter:try-form-Try it").click().run()
    ((path, body),) = context.control.given
    assert path == "/whatif"
    assert body["arguments"].keys() == {"policy", "version", "start"}
