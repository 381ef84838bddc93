"""A control API that answers from a table, and what surrounds a page."""

from collections.abc import Mapping
from typing import Any

from dashboard.context import Context, Me
from dashboard.span import resolve
from storage.database import Database
from storage.errors import NotFound, Unavailable
from storage.records.access import ROLES
from tests.dashboard.answers import ANSWERS
from tests.dashboard.week import NOW, PAYLOAD


class TableControl:
    """A control API that answers from a table and remembers commands."""

    def __init__(self, answers: Mapping[str, Any] | None) -> None:
        self.answers = answers
        self.given: list[tuple[str, Mapping[str, Any]]] = []
        self.named: list[str] = []
        self.tagged: list[str | None] = []
        self.asked: list[tuple[str, Mapping[str, Any]]] = []

    def _answer(self, path: str) -> Any:
        if self.answers is None:
            raise Unavailable("the control API does not answer")
        if path not in self.answers:
            raise NotFound(f"no such thing: {path}")
        found = self.answers[path]
        if isinstance(found, Exception):
            raise found
        return found

    def get(self, path: str, /, **query: Any) -> Any:
        self.asked.append((path, query))
        return self._answer(path)

    def post(self, path: str, body: Mapping[str, Any], /, *, etag: str | None = None, once: str = "") -> Any:
        self.given.append((path, dict(body)))
        self.named.append(once)
        self.tagged.append(etag)
        return self._answer(path)

    def put(self, path: str, body: Mapping[str, Any], /, *, etag: str, once: str = "") -> Any:
        return self.post(path, body, etag=etag, once=once)

    def delete(self, path: str, body: Mapping[str, Any], /, *, etag: str, once: str = "") -> Any:
        return self.post(path, body, etag=etag, once=once)

    def download(self, path: str, /) -> bytes:
        return b"report"


def person(role: str) -> Me:
    return Me(principal=PAYLOAD, role=role, scopes=frozenset(scope.value for scope in ROLES[role]))


def surroundings(database: Database, *, role: str = "admin", answers: Mapping[str, Any] | None = ANSWERS) -> Context:
    return Context(
        database=database,
        control=TableControl(answers),
        me=person(role),
        now=NOW,
        span=resolve("7d", now=NOW, zone="UTC"),
    )
