"""Which run of an audit is shown: the newest by itself, another one while nothing is asked for."""

from dataclasses import replace

import pytest
import streamlit as st

from storage import findings
from storage.records.clock import MINUTE
from tests.dashboard.drawn import run
from tests.dashboard.table_control import surroundings

PAGES = {"fairness": "audit_fairness", "drift": "audit_drift", "whatif": "run"}


def ran_again(database, kind):
    """Keep one more run, the newest, as the page's job would."""
    with database.write() as write:
        last = findings.audits(write, kind=kind, limit=1)[0]
        findings.save(write, replace(last, audit_id=f"{kind}-9", job_id="9", at=last.at + MINUTE))
    st.cache_data.clear()


@pytest.mark.parametrize(("page", "key"), PAGES.items())
def test_a_run_that_ends_while_the_page_is_open_is_the_one_that_is_shown(filled, page, key):
    app = run(page, surroundings(filled))
    before = app.selectbox(key=key).value
    known = app.selectbox(key=key).options
    ran_again(filled, page)
    app.run()
    assert app.selectbox(key=key).value == before == "", "the newest, whichever it is"
    first, newest, *others = app.selectbox(key=key).options
    assert first == f"newest: {newest}" != known[0] and others == known[1:]


@pytest.mark.parametrize(("page", "key"), PAGES.items())
def test_a_run_that_was_chosen_stays_until_something_is_asked_for(filled, page, key):
    older = run(page, surroundings(filled)).selectbox(key=key).options
    assert len(older) > 1
    ran_again(filled, page)
    app = run(page, surroundings(filled))
    app.selectbox(key=key).select_index(2).run()
    chosen = app.selectbox(key=key).value
    assert chosen and app.run().selectbox(key=key).value == chosen
    app.session_state["turn"] = 7  # as a command that was given leaves it
    assert app.run().selectbox(key=key).value == ""
