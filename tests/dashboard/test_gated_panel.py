"""The panel of gated rollouts: what stands there, for whom, and what may be done."""

from typing import Any

import pytest

from storage.database import Database
from tests.dashboard.answers import ANSWERS, ROLLOUT
from tests.dashboard.drawn import run, told
from tests.dashboard.table_control import surroundings


def drawn(database: Database, **rollout: Any) -> str:
    answers = {**ANSWERS, "/rollouts": {"rollouts": [{**ROLLOUT, **rollout}]}}
    return told(run("policies", surroundings(database, answers=answers)))


@pytest.fixture
def page(sqlite_database: Database) -> str:
    return drawn(sqlite_database)


def test_it_says_where_it_is_what_each_gate_says_and_how_much_is_missing(page: str) -> None:
    assert "v2 at **5 %**, next 100 %" in page
    for word in ("Failures and speed", "Outcome", "Same traffic", "Fairness", "Split of people"):
        assert word in page
    assert "About 1,200 more decisions" in page
    assert "Not waited for" in page
    assert "11,000 decisions so far" in page and "60,000 in all" in page
    assert "simulated" in page


def test_one_that_is_over_makes_room_for_the_next(sqlite_database: Database) -> None:
    over = drawn(sqlite_database, state="rolled_back", ahead=100.0)
    assert "rolled back" in over
    assert "next 100 %" not in over


def test_without_any_it_invites(sqlite_database: Database) -> None:
    answers = {**ANSWERS, "/rollouts": {"rollouts": []}}
    assert "No version has gone out by itself yet" in told(
        run("policies", surroundings(sqlite_database, answers=answers))
    )
