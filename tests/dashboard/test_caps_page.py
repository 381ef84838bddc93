"""The page Caps counts on demand who saw what how often, and says what a stricter cap would have held back."""

from typing import Any

from tests.dashboard.answers import ANSWERS
from tests.dashboard.drawn import run, told
from tests.dashboard.table_control import surroundings
from tests.dashboard.week import NOW, PAYLOAD

SPREAD: dict[str, Any] = {
    "start": NOW - 86_400_000_000, "end": NOW, "limit": 3, "people": 80, "impressions": 120, "over": 0,
    "times": [[1, 60], [2, 15], [3, 10]], "origins": ["simulated"],
    "curve": [
        {"limit": 0, "given_up": 120, "share": 1.0, "touched": 85, "known": True},
        {"limit": 1, "given_up": 35, "share": 35 / 120, "touched": 25, "known": True},
        {"limit": 3, "given_up": 0, "share": 0.0, "touched": 0, "known": True},
    ],
}  # fmt: skip


def counted(database: Any, **more: Any) -> Any:
    context = surroundings(database, answers={**ANSWERS, "/caps/exposures": SPREAD | more})
    app = run("caps", context)
    assert not any(path == "/caps/exposures" for path, _ in context.control.asked)
    return app.button(key="spread-now").click().run()


def test_the_window_is_counted_when_it_is_asked_for(week):
    app = counted(week)
    assert not app.exception
    assert "None of 120 impressions lies above 3" in told(app) and PAYLOAD not in told(app)
    (curve,) = [frame.value for frame in app.dataframe if "given up" in frame.value]
    assert curve["given up"].tolist()[1] == "35 (29 %)"
    assert any("3 = cap" in str(frame.value.get("times shown", "")) for frame in app.dataframe)


def test_impressions_above_the_cap_are_said(week):
    assert "5 of 120 impressions lie above 3" in told(counted(week, over=5))


def test_of_few_people_the_page_tells_nothing(week):
    app = counted(week, people=None, impressions=0, times=None, curve=[])
    assert "Fewer than 50 people" in told(app)
    assert not any("given up" in frame.value for frame in app.dataframe)
