"""Experiments and insights as drawn: hidden results stay hidden, an early look is asked of control, masks are told."""

from streamlit.testing.v1 import AppTest

from dashboard.context import Context
from dashboard.queries import desks, experiments, insights
from dashboard.span import Span
from storage.database import Database
from storage.records.clock import MINUTE
from tests.dashboard.answers import NOTHING
from tests.dashboard.drawn import run, told
from tests.dashboard.judged import EXPERIMENTS
from tests.dashboard.table_control import surroundings
from tests.dashboard.week import NOW, PAYLOAD


def looked_at(name: str, context: Context) -> AppTest:
    app = run("experiments", context)
    return app.selectbox(key="experiment").set_value(name).run()


WEEK = Span(key="7d", start=NOW - 7 * 86_400_000_000, end=NOW + 1, zone="UTC", live=True)


def test_an_outcome_that_is_hidden_is_not_even_read(week: Database) -> None:
    with week.read() as read:
        found = experiments.readouts(read)
    hidden = next(one for one in found.experiments if one["key"] == "holdout/women")
    assert hidden["comparisons"] == []
    assert all("rate" not in arm and "clicks" not in arm for arm in hidden["arms"])
    app = looked_at("holdout/women · real", surroundings(week))
    assert "Results are hidden for 2 more days" in told(app).replace("\\", "")
    assert [one.value for one in app.metric if one.label == "Clicks"] == ["hidden"]


def test_who_may_not_look_early_is_told_what_it_takes(week: Database) -> None:
    app = looked_at("holdout/women · real", surroundings(week, role="marketer"))
    assert "policy" in told(app) and not [one for one in app.button if "Look early" in one.label]


def test_a_shown_result_says_what_to_do_and_by_how_much(week: Database) -> None:
    app = looked_at("holdout/men · real", surroundings(week, role="marketer"))
    assert "Ship it" in told(app)
    (shown,) = [frame.value for frame in app.dataframe if "stands" in frame.value]
    assert shown["times the reference, 95 %"].tolist()[0] == "1.50 × (1.10 to 2.10)"
    listed = next(frame.value for frame in app.dataframe if "what to do" in frame.value)
    assert listed["times the reference"].tolist() == ["1.50 × (1.10 to 2.10)", "hidden", "1.50 × (1.10 to 2.10)"]


def test_simulated_experiments_say_so(week: Database) -> None:
    app = looked_at("rule/lift · simulated", surroundings(week))
    assert "holds simulated rows" in told(app)


def test_masked_parts_show_no_figure(week: Database) -> None:
    app = run("insights", surroundings(week))
    app = next(one for one in app.button_group if one.key == "told_by").set_value("context").run()
    (parts,) = [frame.value for frame in app.dataframe if "beside the rest" in frame.value and len(frame.value) == 1]
    assert parts["people"].tolist() == parts["impressions"].tolist() == parts["click rate"].tolist() == ["masked"]
    assert "1 of 1 are masked" in told(app)


def test_own_figures_stand_beside_those_that_were_brought(week: Database) -> None:
    with week.read() as read:
        found = {one.metric: one for one in insights.beside(read, span=WEEK)}
    assert [one.benchmark.value for one in found["click_rate"].others] == [0.9]
    assert found["click_rate"].own.n > 0 or found["click_rate"].own.value is None
    assert (found["return_rate"].own.hits, found["return_rate"].own.n) == (40, 100)


def test_nothing_brought_is_an_invitation(blank: Database) -> None:
    app = run("insights", surroundings(blank, answers=NOTHING))
    assert "No figure of an industry is here" in told(app)


def test_the_lift_of_a_campaign_is_that_of_its_holdout(week: Database) -> None:
    with week.read() as read:
        found = {each.line.key: each for each in desks.campaigns(read, span=WEEK, minute=NOW // MINUTE)}
    assert found["men"].experiment == EXPERIMENTS["experiments"][0] | {
        "days": found["men"].experiment["days"]  # type: ignore[index]  # it is there
    }
    assert found[PAYLOAD].experiment is None
