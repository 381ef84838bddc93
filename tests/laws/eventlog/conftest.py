"""Every event log, as a law asks for it, and no thread of one left behind."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.laws.eventlog.logs import MEMBERS, Open


@pytest.fixture(params=sorted(MEMBERS))
def member(request: pytest.FixtureRequest) -> Callable[[Path], Open]:
    """Give a function from a folder to a function that opens the log in it, again and again."""
    return MEMBERS[request.param]


@pytest.fixture
def reopen(member: Callable[[Path], Open], tmp_path: Path) -> Open:
    return member(tmp_path)


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    import threading

    before = set(threading.enumerate())
    yield
    left = [thread for thread in threading.enumerate() if thread not in before and thread.name.startswith("log ")]
    assert left == []
