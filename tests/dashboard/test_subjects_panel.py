"""The subjects half of the page Consent: what waits, how late it is, who may do what, nothing hostile drawn."""

import pytest

from tests.dashboard.answers import ANSWERS, NOTHING
from tests.dashboard.drawn import run, told
from tests.dashboard.table_control import TableControl, surroundings
from tests.dashboard.written import ASKED


def choose(app, request):
    return next(one for one in app.selectbox if one.label == "Request").set_value(request["request_id"]).run()


def test_what_waits_is_told_with_its_deadline(week):
    app = run("consent", surroundings(week))
    assert not app.exception
    assert "3 open, 1 past the deadline" in told(app)


def test_where_nobody_asked_the_page_says_how_to_begin(blank):
    app = run("consent", surroundings(blank, answers=NOTHING))
    assert "Nobody has asked for anything yet" in told(app)


@pytest.mark.parametrize(
    ("place", "words"),
    [(0, "1 missing"), (1, "7 rows left the lake"), (2, "3 open"), (3, "About the decision")],
    ids=["open", "running", "done", "review"],
)
def test_one_request_says_what_comes_next(week, place, words):
    app = choose(run("consent", surroundings(week)), ASKED[place])
    assert not app.exception
    assert words in told(app)
    assert ("Refuse" in {one.label for one in app.button}) == (place in {0, 3})
    assert ("Answer" in {one.label for one in app.button}) == (place == 3)


def test_a_request_goes_where_it_belongs_and_the_id_with_it(week):
    context = surroundings(week, answers={**ANSWERS, "/subjects/restriction": {"acknowledged": {}}})
    app = run("consent", context)
    next(one for one in app.selectbox if one.label == "They ask for").set_value(
        "to be left alone for now (restriction)"
    ).run()
    next(one for one in app.text_input if one.key == "take-in-subject").set_value("u-1")
    next(one for one in app.text_input if one.key == "take-in-reason").set_value("they wrote to us")
    next(one for one in app.button if one.label == "Take in").click().run()
    assert isinstance(context.control, TableControl)
    assert context.control.given == [("/subjects/restriction", {"subject": "u-1", "reason": "they wrote to us"})]


def test_who_may_not_look_people_up_sees_none_of_it(week):
    context = surroundings(week, role="marketer")
    app = run("consent", context)
    assert "past the deadline" not in told(app)
    assert isinstance(context.control, TableControl)
    assert all(not path.startswith("/subjects") for path, _ in context.control.asked)
