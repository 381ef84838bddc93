"""Nobody applies alone what needs two: a stateful search for a way around it finds none, and what is planted."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from inspect import signature
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from governance import rules
from governance.control import Control
from storage.database import Database
from storage.errors import Conflict
from storage.records.changes import Change

from .conftest import preset
from .four_eyes import PLANS, TOKENS, FourEyes

STEPS = int(os.environ.get("FAIRLEAD_TEST_STEPS", "500"))
MOVES = {
    "propose": 3,
    "edit": 2,
    "submit": 1,
    "approve": 3,
    "reject": 0.3,
    "withdraw": 0.3,
    "apply": 3,
    "hand_in": 2,
    "hand_in_and_approve": 3,
    "finish": 4,
    "go_alone": 1,
    "roll_back": 0.5,
    "wait": 0.5,
}
ARGUMENTS: dict[str, list[Any]] = {
    "who": TOKENS,
    "plan": PLANS,
    "percent": [None, 5.0, 25.0, 100.0],
    "hours": [0, 0, 0, 1, 80],
}


@pytest.fixture
def machine(sqlite_database: Database, build: Callable[..., Control], home: Path) -> type[FourEyes]:
    """The search on copies of a fresh installation."""
    build(sqlite_database)
    template = home / "template.db"
    with closing(sqlite3.connect(home / "fairlead.db")) as connection:
        connection.execute("VACUUM INTO ?", (str(template),))
    return type("FourEyesHere", (FourEyes,), {"template": template, "home": home})


def walk(machine: type[FourEyes], steps: int, *, seed: int = 7) -> FourEyes:
    """Take steps at random, the fruitful ones more often; a fresh installation every 500."""
    rng = Random(seed)
    applied = 0
    for first in range(0, steps, 500):
        here = machine()
        here.start()
        try:
            for _ in range(min(500, steps - first)):
                name = rng.choices(list(MOVES), list(MOVES.values()))[0]
                move = getattr(FourEyes, name)
                wanted = [one for one in signature(move).parameters if one != "self"]
                if "change" in wanted and not here.seen:
                    continue
                given = {
                    one: rng.choice(list(here.seen)[-4:]) if one == "change" else rng.choice(ARGUMENTS[one])
                    for one in wanted
                }
                move(here, **given)
                here.nothing_else_changed_the_policy()
            applied += here.applied
        finally:
            here.teardown()
    here.applied = applied
    return here


def test_no_interleaving_applies_without_a_second_person(machine: type[FourEyes]) -> None:
    run_state_machine_as_test(machine, settings=settings(max_examples=15, stateful_step_count=40, deadline=None))


def test_a_long_walk_applies_often_and_never_without_a_second_person(machine: type[FourEyes]) -> None:
    assert walk(machine, STEPS).applied >= STEPS // 60


def _no_author_rule(change: Change, _now: int, *, solo: bool) -> None:
    if change.state != "approved" or solo:
        raise Conflict("not approved")


PLANTED: dict[str, dict[str, Any]] = {
    "authors approve": {
        "rules.approved": lambda change, by, now, *, solo, real=rules.approved: real(change, by, now, solo=not solo),
        "rules.require_applicable": _no_author_rule,
    },
    "edits keep approvals": {"rules.edited": lambda change, _by: change},
    "spellings are people": {"rules.person": lambda name: name},
    "bases do not matter": {"changes.Changes.require_base": lambda *_: None},
    "nobody asks for approval": {"rules.admit": lambda *_, **__: None},
}


@pytest.mark.parametrize("planted", PLANTED)
def test_the_search_finds_a_planted_way_around(
    machine: type[FourEyes], planted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, fault in PLANTED[planted].items():
        monkeypatch.setattr(f"governance.{name}", fault)
    with pytest.raises(AssertionError):
        walk(machine, 3000)


def test_the_preset_is_what_this_module_expects() -> None:
    assert len(preset().policies[0].versions) == 3
