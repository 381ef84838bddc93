"""Every page, for every role, with a week of data, with none, and with its sources away."""

from dataclasses import replace

import pytest
import streamlit as st
from sqlalchemy import text

from dashboard.entrance import ADDRESSES
from dashboard.pages.menu import REST, SECTIONS, menu
from dashboard.pages.registry import PAGES
from dashboard.span import Span
from dashboard.view import link
from storage.database import Database
from storage.errors import Unavailable
from storage.records.access import ROLES as ACCESS
from storage.records.clock import DAY, MINUTE
from tests.dashboard.answers import NOTHING
from tests.dashboard.drawn import run, told
from tests.dashboard.filling import fill
from tests.dashboard.table_control import person, surroundings
from tests.dashboard.week import NOW

ROLES = ("marketer", "data_scientist", "ops", "admin")
KEYS = tuple(page.key for page in PAGES)


NOBODYS = ("creator", "end_user")
"""Roles that no page is for: what is theirs, control serves by links of their own."""


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


class Leaving:
    """A database that can go away."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.url = database.url
        self.away = False

    def read(self):
        if self.away:
            raise Unavailable("the database does not answer")
        return self._database.read()


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("key", KEYS)
def test_what_was_read_before_stays_greyed_when_the_database_goes_away(week, key, role):
    leaving = Leaving(week)
    app = run(key, replace(surroundings(week, role=role), database=leaving))
    leaving.away = True
    st.cache_data.clear()
    app.run()
    assert not app.exception
    assert "stale: read" in told(app)
    refused = [error.value for error in app.error if "FL-1403" in error.value]
    assert (refused == []) == allowed(role, key)
    assert [error.value for error in app.error if error.value not in refused and "FL-" not in error.value] == []


def test_every_role_is_drawn():
    assert {*ROLES, *NOBODYS, "service"} == set(ACCESS)  # a service opens pages as anyone does who may read


@pytest.mark.parametrize("role", NOBODYS)
@pytest.mark.parametrize("key", KEYS)
def test_a_page_is_closed_to_those_it_is_not_for(week, key, role):
    app = run(key, surroundings(week, role=role))
    assert not app.exception
    assert ["FL-1403" in error.value for error in app.error] == [True]
    assert not app.metric and not app.dataframe


@pytest.mark.parametrize("key", KEYS)
def test_old_data_is_said_to_be_late_on_every_page(week, key):
    app = run(key, replace(surroundings(week), now=NOW + 2 * MINUTE))
    assert not app.exception
    assert "late: data" in told(app)


def test_the_menu_and_the_addresses_name_the_same_pages():
    assert KEYS == ADDRESSES
    for role in ROLES:
        listed = [page for pages in menu(person(role)).values() for page in pages]
        assert {page.key for page in listed} == {key for key in KEYS if allowed(role, key)}
        assert len(listed) == len({page.key for page in listed})


def test_every_page_stands_in_one_section_of_the_menu():
    named = [key for keys in SECTIONS.values() for key in keys]
    assert sorted(named) == sorted(KEYS)
    assert REST not in menu(person("admin"))
    assert max(len(pages) for pages in menu(person("admin")).values()) <= 7


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


def test_filters_come_from_the_address(week):
    app = run("heatmaps", surroundings(week), campaign="men", rows="Simulated rows", range="Last 30 days")
    assert app.selectbox(key="campaign").value == "men"
    assert app.selectbox(key="rows").value == "simulated"
    assert "last 30 d" in told(app)


def test_a_frozen_link_shows_the_same_window_whenever_it_is_opened(week):
    first = run("live", surroundings(week), range="Last hour", refresh="Off")
    span = first.session_state["shown"].about
    asked = link(Span(key="1h", start=span.start, end=span.end, zone="UTC", live=True), {"range": "Last hour"})
    later = run("live", replace(surroundings(week), now=NOW + DAY), **asked)
    assert not later.exception
    again = later.session_state["shown"].about
    assert (again.start, again.end) == (span.start, span.end)
    assert (
        later.session_state["shown"].numbers["outcomes-chart"] == first.session_state["shown"].numbers["outcomes-chart"]
    )


def test_the_age_of_the_data_is_said_in_the_header(week):
    told_now = told(run("ledger", surroundings(week)))
    assert "data " in told_now or "no live data" in told_now
    late = told(run("ledger", replace(surroundings(week), now=NOW + 2 * MINUTE)))
    assert "late: data" in late


def test_simulated_rows_are_named_wherever_they_are_drawn(week):
    assert "holds simulated rows" in told(run("overview", surroundings(week)))
    assert "holds simulated rows" in told(run("heatmaps", surroundings(week), rows="All rows"))
    assert "holds simulated rows" not in told(run("heatmaps", surroundings(week)))


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


def test_plugins_are_shown_with_what_troubles_them(week):
    app = run("system", surroundings(week))
    assert "1 of 2 plugins are asked" in told(app)
    (shown,) = [frame.value for frame in app.dataframe if "last trouble" in frame.value]
    assert shown["state"].tolist() == ["asked", "broken, skipped"]
    assert shown["answered"].tolist()[0] == 7
