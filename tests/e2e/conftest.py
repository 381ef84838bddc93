"""Fixtures of whole installations."""

import time
from collections.abc import Iterator

import pytest

from tests.e2e.installation import Copy, make_copy
from tests.e2e.lived import Lived, live_on


@pytest.fixture(scope="session")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copy]:
    """One copy for all tests, traffic included; the last one stops it."""
    running = make_copy(tmp_path_factory.mktemp("copy") / "home").start("--traffic-rate", "10")
    yield running
    if running.process is not None and running.process.poll() is None:
        running.stop()


@pytest.fixture(scope="session")
def token(copy: Copy) -> str:
    """A token of an application."""
    minted = copy.data("token", "create", "--name", "e2e", "--scopes", "decide,events:write,decision:read,journal:read")
    time.sleep(0.5)
    found: str = minted["token"]
    return found


@pytest.fixture(scope="session")
def lived(copy: Copy, token: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    """A stretch of the copy's life: what its pages say of it, and the raw rows that it left."""
    found = live_on(copy, token, tmp_path_factory.mktemp("raw"))
    yield found
    found.raw.close()
