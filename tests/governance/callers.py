"""People of every role, by all their tokens, before the served API of one installation."""

import shutil
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any

import httpx

from governance.api.app import create_app
from governance.api.context import ControlContext
from governance.control import Control
from storage.database import Database
from storage.keys import Keys
from storage.lake import Lake

from .conftest import REASON, Clock, warrant
from .served import serving

PEOPLE = (
    ("alice", "admin"),
    ("alice", "ops"),
    ("Alice", "admin"),
    ("ＡＬＩＣＥ", "ops"),
    ("bob", "ops"),
    ("carol", "admin"),
    ("dora", "data_scientist"),
    ("mary", "marketer"),
    ("erin", "admin"),
    ("frank", "admin"),
)


class Callers:
    """One installation, and all its people before its API.

    Parameters
    ----------
    template
        A bootstrapped database.
    home
        Where its keys are.
    """

    def __init__(self, template: Path, home: Path, rng: Random) -> None:
        self.rng = rng
        self._folder = Path(tempfile.mkdtemp(prefix="changes-"))
        shutil.copy(template, self._folder / "control.db")
        self._database = Database(f"sqlite:///{self._folder / 'control.db'}")
        self.clock = Clock()
        keys = Keys.open(home)
        self.control = Control(self._database, keys, environment="test", solo=False, now=self.clock)
        made = (
            self.control.mint(name="t", principal=name, role=role, scopes=None, expires_in_s=None, warrant=warrant())
            for name, role in PEOPLE
        )
        self._tokens = [one.token for one in made]
        context = ControlContext(
            control=self.control,
            database=self._database,
            keys=keys,
            home=home,
            environment="test",
            solo=False,
            lake=Lake(home / "lake"),
        )
        self._served = ExitStack()
        url = self._served.enter_context(serving(create_app(context)))
        self._client = self._served.enter_context(httpx.Client(base_url=url, trust_env=False, timeout=30))

    def close(self) -> None:
        """Let go of everything."""
        self._served.close()
        self._database.close()
        shutil.rmtree(self._folder)

    def _headers(self, who: int) -> dict[str, str]:
        return {"authorization": f"Bearer {self._tokens[who]}"}

    def _ask(
        self,
        method: str,
        route: str,
        body: Mapping[str, Any] | None,
        *,
        by: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, Any]:
        """Ask as somebody; return who, and what was answered, None where it was refused."""
        who = self.rng.randrange(len(PEOPLE)) if by is None else by
        sent = None if body is None else {**body, "reason": REASON}
        answer = self._client.request(
            method, "/control/v1" + route, json=sent, headers={**self._headers(who), **(headers or {})}
        )
        assert answer.status_code < 500, answer.text
        return who, answer.json() if answer.is_success else None
