"""The command line, run in this process, and a control API that is really served for it."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fairlead.cli import main
from governance.api.app import create_app
from governance.api.context import ControlContext
from governance.control import Control
from storage.database import Database
from storage.keys import Keys, read_token
from storage.lake import Lake
from tests.governance.conftest import preset
from tests.governance.served import serving

Run = Callable[..., tuple[int, Any, str]]


@pytest.fixture
def fairlead(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs one command; gives its exit code, what it printed (as JSON if it is), and its talk."""

    def command(*arguments: str) -> tuple[int, Any, str]:
        monkeypatch.setenv("COLUMNS", "200")
        monkeypatch.setattr(sys, "argv", ["fairlead", *arguments])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capfd.readouterr()
        return int(ended.value.code or 0), json.loads(out) if out.startswith(("{", "[")) else out, err

    return command


@pytest.fixture
def control(sqlite_database: Database, home: Path) -> Control:
    """A control desk of one person, with the preset of the tests."""
    made = Control(sqlite_database, Keys.open(home), environment="test", solo=True)
    made.bootstrap(home, preset())
    return made


@pytest.fixture
def served(control: Control, sqlite_database: Database, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The control API that the command line finds by its settings."""
    context = ControlContext(
        control=control,
        database=sqlite_database,
        keys=Keys.open(home),
        home=home,
        environment="test",
        solo=True,
        lake=Lake(home / "lake"),
    )
    with serving(create_app(context)) as url:
        monkeypatch.setenv("FAIRLEAD_HOME", str(home))
        monkeypatch.setenv("FAIRLEAD_CONTROL_URL", url)
        monkeypatch.setenv("FAIRLEAD_TOKEN", read_token(home, "admin") or "")
        yield url
