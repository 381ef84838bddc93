"""The check of people's requests: late fails, soon or stuck warns, nobody is unknown."""

from dataclasses import replace
from pathlib import Path

import pytest

from governance.checks import requests
from governance.checks.check import Ground
from storage import subject_requests
from storage.anchors import Anchors
from storage.database import Database
from storage.keys import Keys
from storage.records.clock import DAY
from tests.storage.test_subject_requests import REQUEST

NOW = 1_760_000_000_000_000


@pytest.mark.parametrize(
    ("left", "state", "begun", "verdict"),
    [
        (None, "open", 0, "unknown"),
        (20, "open", 0, "pass"),
        (3, "open", 0, "warn"),
        (-1, "open", 0, "fail"),
        (-1, "done", 0, "pass"),
        (20, "running", 1, "pass"),
        (20, "running", 2 * DAY, "warn"),
    ],
)
def test_a_request_is_watched_until_it_is_answered(
    sqlite_database: Database, home: Path, left: int | None, state: str, begun: int, verdict: str
) -> None:
    keys = Keys.open(home)
    if left is not None:
        with sqlite_database.write() as write:
            progress = {"begun_at": NOW - begun}
            one = replace(REQUEST, state=state, due_at=NOW + left * DAY, progress=progress)  # type: ignore[arg-type]  # one of the states
            subject_requests.save(write, one)
    with sqlite_database.read() as read:
        ground = Ground(read=read, now=NOW, home=home, keys=keys, anchors=Anchors(home / "a.jsonl", keys.signing))
        found = requests.look(ground)
    assert found.verdict == verdict and found.sentence
