"""One engine per module: starting one takes a second."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scoring_core.edges.running import Installed, Running, install, running


@pytest.fixture
def installed(home: Path) -> Iterator[Installed]:
    made = install(home)
    yield made
    made.database.close()


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home = tmp_path_factory.mktemp("engine")
    made = install(home)
    with running(made) as engine:
        yield engine
    made.database.close()
