"""The Decision explorer puts another version in the place of the one that served, and says what differs."""

from typing import Any

from tests.dashboard.answers import ANSWERS
from tests.dashboard.drawn import run, told
from tests.dashboard.table_control import surroundings
from tests.dashboard.week import PAYLOAD

LOGGED = {"version": 1, "items": ["a", PAYLOAD], "served_by": "model", "reason": "ok", "confidence": None, "caps": []}
FOUND = {
    "verdict": "exact", "logged": LOGGED, "anew": {**LOGGED, "items": [PAYLOAD]}, "reason": "", "unknown": [],
}  # fmt: skip


def decided(database: Any, **more: Any) -> Any:
    record = dict(ANSWERS["/decisions/d-1"]["decision"]) | {"policy": "home", "version": 1}
    answers = {"/decisions/d-1": {"decision": record, "from": "lake"}, "/decisions/d-1/anew": FOUND | more}
    context = surroundings(database, answers={**ANSWERS, **answers})
    app = run("explorer", context, decision="d-1")
    app.button(key="anew-now").click().run()
    assert not app.exception
    assert ("/decisions/d-1/anew", {"version": app.selectbox(key="anew-version").value}) in context.control.asked
    return app


def test_what_differs_is_shown_slot_by_slot(week):
    app = decided(week)
    assert "Exact: all that" in told(app) and PAYLOAD not in told(app)
    (shown,) = [frame.value for frame in app.dataframe if "as served" in frame.value]
    assert shown[""].tolist() == ["differs", "differs"]


def test_what_was_not_recorded_is_named(week):
    assert "nobody recorded" in told(decided(week, unknown=["the counter of the cap daily"]))


def test_a_refusal_says_why(week):
    assert "Refused: its model is no longer kept" in told(
        decided(week, verdict="refused", anew=None, reason="its model is no longer kept")
    )
