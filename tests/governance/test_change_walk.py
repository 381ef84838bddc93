"""Nobody applies what was not agreed to, by any order of calls of the API; the walk finds what is planted."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from governance import emergencies, rules
from governance.control import Control
from storage.database import Database
from storage.records.changes import Change

from .change_model import toggled
from .change_walk import ChangeWalk
from .conftest import warrant

STEPS = int(os.environ.get("FAIRLEAD_TEST_STEPS", "250"))
WHOLE = int(os.environ.get("FAIRLEAD_TEST_WHOLE", "2000"))
FRESH = 1_000
"""After so many steps an installation is left for a fresh one."""


@pytest.fixture
def template(sqlite_database: Database, build: Callable[..., Control], home: Path) -> Path:
    control = build(sqlite_database)
    control.do("toggle.create", "new", toggled(0.0), warrant())
    path = home / "template.db"
    with closing(sqlite3.connect(home / "fairlead.db")) as connection:
        connection.execute("VACUUM INTO ?", (str(path),))
    return path


def walk(template: Path, home: Path, steps: int, *, seed: int) -> dict[str, int]:
    """Walk; return what took effect."""
    told = {"steps": 0, "applied": 0, "scheduled": 0, "alone": 0}
    for first in range(0, steps, FRESH):
        here = ChangeWalk(template, home, Random(seed + first))
        try:
            for _ in range(min(FRESH, steps - first)):
                here.step()
                told["steps"] += 1
        finally:
            told["applied"] += here.applied
            told["scheduled"] += here.scheduled
            told["alone"] += here.alone_applied
            here.close()
    return told


def test_no_order_of_calls_applies_what_was_not_agreed_to(template: Path, home: Path) -> None:
    told = walk(template, home, STEPS, seed=11)
    assert told["applied"] >= STEPS // 50


@pytest.mark.e2e
@pytest.mark.timeout(7_200)
def test_the_whole_walk(template: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = walk(template, home, WHOLE, seed=1)
    with capsys.disabled():
        print(f"\nthe change machine by the API alone: {told}")
    assert told["applied"] >= WHOLE // 50 and told["scheduled"] > WHOLE // 1_000 and told["alone"] > WHOLE // 10_000


def _never_ends(read: Any, name: str, _now: int, real: Any = emergencies.running) -> Any:
    return real(read, name, -(10**18))


def _no_cool_off(change: Change, _real: Any = None) -> int | None:
    return change.updated_at if change.state == "approved" else change.apply_at


def _unagreed(change: Change, by: Any, at: int, now: int, *, solo: bool) -> Change:
    return replace(change, state="scheduled", apply_at=at, scheduled_by=by.name, updated_at=now)


PLANTED: dict[str, dict[str, Any]] = {
    "emergencies never end": {"changes.running": _never_ends},
    "nothing cools off": {"rules.ready_at": _no_cool_off},
    "anything may be scheduled": {
        "rules.scheduled": _unagreed,
        "rules._require_agreement": lambda *_args, **_more: None,
    },
    "edits keep approvals": {"rules.edited": lambda change, _by: replace(change, state="approved")},
    "authors approve": {
        "rules.approved": lambda change, by, now, *, solo, real=rules.approved: real(change, by, now, solo=not solo),
        "rules._require_agreement": lambda *_args, **_more: None,
    },
}


@pytest.fixture
def planted(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, fault in PLANTED[request.param].items():
        monkeypatch.setattr(f"governance.{name}", fault)
    yield


@pytest.mark.e2e
@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("planted", PLANTED, indirect=True)
@pytest.mark.usefixtures("planted")
def test_the_walk_finds_a_planted_way_around(template: Path, home: Path) -> None:
    with pytest.raises(AssertionError):
        walk(template, home, 10_000, seed=3)
