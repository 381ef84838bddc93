"""The commands of the watch over drift against a control API on a real database."""

from functools import partial

import pytest

from storage import drift, ledger
from storage.database import Database
from storage.records import clock
from storage.records.drift import Look
from tests.fairlead.conftest import Run

ACT = ("--yes", "--reason", "because the test says so", "--json")


@pytest.fixture
def run(fairlead: Run, served: str) -> Run:
    return partial(fairlead, "audit")


def look(database: Database) -> None:
    row = {"feature": "context.age", "red": True, "statistical": True, "material": True, "effect": 0.4}
    at = clock.now()
    with database.write() as write:
        drift.save_look(
            write,
            Look(
                surface="home",
                origin="live",
                family="decided",
                start=at - clock.HOUR,
                end=at,
                at=at,
                reference=1,
                verdict="warn",
                sentence="Changed in this window.",
                features=(row,),
            ),
        )


def test_from_what_is_normal_to_what_is_accepted(run: Run, sqlite_database: Database) -> None:
    assert run("accept", "home", "context.age", *ACT)[0] == 3, "nobody said what is normal"
    made = run("reference", "home", "--days", "7", "--origins", "live,simulated", "--method", "number=ks", *ACT)[1]
    assert (made["level"], made["after"]["version"], made["after"]["methods"]) == ("D1", 1, {"number": "ks"})
    look(sqlite_database)
    assert [each["verdict"] for each in run("looks", "home", "--json")[1]] == ["warn"]
    assert run("accept", "home", "context.aeg", *ACT)[0] == 2
    accepted = run("accept", "home", "context.age", "--days", "2", *ACT)[1]["after"]
    assert accepted["until"] - accepted["at"] == pytest.approx(2 * clock.DAY, abs=clock.MINUTE)
    assert run("withdraw", "home", "context.age", *ACT)[0] == 0
    assert run("withdraw", "home", "context.age", *ACT)[0] == 3
    with sqlite_database.read() as read:
        done = [entry.action for entry in ledger.entries(read, object_kind="drift", result="applied")]
    assert done == ["drift.withdraw", "drift.accept", "drift.reference"]


def test_what_makes_no_sense_is_a_mistake_of_use(run: Run) -> None:
    assert run("reference", "nowhere", *ACT)[0] == 2
    assert run("reference", "home", "--method", "ks", *ACT)[0] == 2
    assert run("reference", "home", "--origins", "made-up", *ACT)[0] == 2
