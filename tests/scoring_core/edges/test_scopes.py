"""Every route of the engine × every scope and every role: default deny; a person's look at people is entered."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from scoring_core.edges.rest import app as application
from scoring_core.edges.rest.app import BRIEFS, COLD, HOT
from scoring_core.edges.rest.doors import PUBLIC, SCOPES
from storage import ledger, tokens
from storage.records import clock
from storage.records.access import ROLES, Scope
from storage.records.changes import LedgerEntry
from tests.scoring_core.edges.running import Running, install, running

ROUTES = {*COLD, *(("POST", path) for path in HOT)}
GUARDED = sorted((method, path, scope) for (method, path), scope in SCOPES.items() if scope != PUBLIC)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    made = install(tmp_path_factory.mktemp("scopes"))
    with running(made) as engine:
        yield engine
    made.database.close()


def holder(engine: Running, name: str, role: str, scopes: frozenset[Scope] | set[Scope]) -> dict[str, str]:
    with engine.installed.database.write() as write:
        _, token = tokens.mint(
            write, name=name, principal=name, role=role, scopes=[one.value for one in scopes], now=clock.now()
        )
    bearer = {"authorization": f"Bearer {token}"}
    engine.until(lambda: engine.client.get("/metrics", headers=bearer).status_code != 401)
    return bearer


def ask(engine: Running, method: str, path: str, bearer: dict[str, str] | None) -> httpx.Response:
    address = re.sub(r"\{[^}]*\}", "x", path)
    body = {} if method == "GET" else {"json": {}}
    return engine.client.request(method, address, headers=bearer or {"authorization": ""}, **body)


def looks(engine: Running) -> list[LedgerEntry]:
    with engine.installed.database.read() as read:
        return [entry for entry in ledger.entries(read, limit=500) if entry.action.endswith(".view")]


def test_every_route_names_its_scope() -> None:
    assert SCOPES.keys() == ROUTES
    assert {route for route, scope in SCOPES.items() if scope == PUBLIC} == {("GET", "/healthz"), ("GET", "/readyz")}
    assert all(scope == PUBLIC or isinstance(scope, Scope) for scope in SCOPES.values())


def test_nobody_comes_in_by_another_scope(engine: Running) -> None:
    bearers = {scope: holder(engine, f"holder of {scope}", "service", {scope}) for scope in Scope}
    for method, path, wanted in GUARDED:
        for prefix in ("", BRIEFS) if path.startswith("/v1/") else ("",):
            assert ask(engine, method, prefix + path, None).status_code == 401, path
            other = Scope.ADMIN if wanted != Scope.ADMIN else Scope.READ
            assert ask(engine, method, prefix + path, bearers[other]).status_code == 403, path
        for scope, bearer in bearers.items():
            status = ask(engine, method, path, bearer).status_code
            if scope == wanted:
                assert status not in {401, 403, 500}, (method, path, status)
            else:
                assert status == 403, (method, path, scope)


@pytest.mark.parametrize("role", sorted(ROLES))
def test_each_role_opens_what_its_scopes_say(engine: Running, role: str) -> None:
    bearer = holder(engine, f"a {role}", role, ROLES[role])
    for method, path, scope in GUARDED:
        status = ask(engine, method, path, bearer).status_code
        assert (status == 403) == (scope not in ROLES[role]), (role, method, path, status)


def test_a_route_that_names_no_scope_is_closed(
    engine: Running, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(application, "SCOPES", {key: value for key, value in SCOPES.items() if "quiz" not in key[1]})
    assert engine.client.get("/v1/user/quiz").status_code == 403
    monkeypatch.setattr(application, "SCOPES", {})
    with pytest.raises(LookupError):
        application.EngineApp(engine.replica)


def test_a_persons_look_is_entered_and_a_services_is_its_work(engine: Running) -> None:
    decision = engine.decide(subject="anna@example.org", slots=1, candidates=["item-1"])["decision_id"]
    dora = holder(engine, "dora", "data_scientist", ROLES["data_scientist"])
    before = len(looks(engine))
    for _ in range(3):
        assert engine.client.get(f"/v1/decisions/{decision}").status_code == 200
        assert engine.client.get(f"/v1/decisions/{decision}", headers=dora).status_code == 200
        assert engine.client.get("/v1/user/profile?subject=anna@example.org", headers=dora).status_code == 200
    seen = looks(engine)[: len(looks(engine)) - before]
    assert [(one.action, one.actor) for one in seen] == [("profiles.view", "dora"), ("decisions.view", "dora")]
    assert seen[1].object_key == decision
    assert seen[0].object_key.startswith("hmac:") and "anna" not in str(seen)


def test_who_cannot_be_entered_sees_nothing(engine: Running) -> None:
    decision = engine.decide(slots=1, candidates=["item-1"])["decision_id"]
    olga = holder(engine, "olga", "ops", ROLES["ops"])
    with engine.installed.database.write() as write:
        write.execute(text("CREATE TRIGGER closed BEFORE INSERT ON ledger BEGIN SELECT RAISE(ABORT, 'read only'); END"))
    try:
        answer = engine.client.get(f"/v1/decisions/{decision}", headers=olga)
        assert answer.status_code == 503 and "candidates" not in answer.json()
        assert engine.client.get(f"/v1/decisions/{decision}").status_code == 200
    finally:
        with engine.installed.database.write() as write:
            write.execute(text("DROP TRIGGER closed"))
