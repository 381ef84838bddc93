"""Every route × every scope, by the API's own description: default deny, denials in the ledger, tokens expire."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from governance.api.app import PREFIXES, create_app
from governance.api.context import ControlContext
from governance.api.gate import PUBLIC, SCOPE_KEY, Gate, GuardedRoute
from governance.api.problems import install
from governance.control import Control
from storage import ledger
from storage.database import Database
from storage.keys import Keys
from storage.lake import Lake
from storage.records.access import ROLES, Scope

from .conftest import warrant
from .served import People, Person, serving

READS = {"GET", "HEAD"}
PUBLIC_ROUTES = {
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/control/v1/openapi.json"),
    *(("POST", f"{prefix}/auth/exchange") for prefix in PREFIXES),
}


@pytest.fixture
def app(control: Control, sqlite_database: Database, keys: Keys, home: object) -> FastAPI:
    return create_app(
        ControlContext(
            control=control,
            database=sqlite_database,
            keys=keys,
            home=home,  # type: ignore[arg-type]  # a Path, by the fixture of that name
            environment="test",
            solo=False,
            lake=Lake(home / "lake"),  # type: ignore[operator]  # likewise
        )
    )


def operations(app: FastAPI) -> Iterator[tuple[str, str, str]]:
    for path, methods in app.openapi()["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation.get(SCOPE_KEY, "")


def test_every_route_declares_one_scope(app: FastAPI) -> None:
    declared = list(operations(app))
    assert len(declared) > 100
    scopes = set(Scope)
    for method, path, scope in declared:
        assert scope in scopes or (scope == PUBLIC and (method, path) in PUBLIC_ROUTES), (method, path, scope)
    assert {(method, path) for method, path, scope in declared if scope == PUBLIC} == PUBLIC_ROUTES
    by_prefix = [
        {(method, path.removeprefix(prefix), scope) for method, path, scope in declared if path.startswith(prefix)}
        for prefix in PREFIXES
    ]
    assert by_prefix[0] - {("GET", "/openapi.json", PUBLIC)} == by_prefix[1]


def others(place: int, wanted: str, method: str) -> list[Scope]:
    """The scopes that are tried in vain: all of them on what is read; on commands, whose refusals are entered in the
    ledger one by one, five that move on from route to route."""
    wrong = [scope for scope in Scope if scope != wanted]
    return wrong if method in READS else [wrong[(5 * place + step) % len(wrong)] for step in range(5)]


@pytest.mark.timeout(300)
def test_nobody_comes_in_by_another_scope(app: FastAPI, control: Control, sqlite_database: Database) -> None:
    wanted = [row for row in operations(app) if row[1].startswith(PREFIXES[0]) and row[2] != PUBLIC]
    denials = 0
    with serving(app) as url, httpx.Client(base_url=url, trust_env=False, timeout=60) as client:
        people = People(control, client)
        carries = {scope: next((role for role in ROLES if scope in ROLES[role]), "service") for scope in Scope}
        tokens = {scope: people.token(f"holder of {scope}", carries[scope], (scope.value,)) for scope in Scope}
        for place, (method, path, scope) in enumerate(sorted(wanted, key=lambda row: row[1].endswith("/logout"))):
            address = re.sub(r"\{[^}]*\}", "1", path)
            assert client.request(method, address).status_code == 401, (method, path)
            for held in others(place, scope, method):
                answer = client.request(method, address, headers={"authorization": f"Bearer {tokens[held]}"})
                assert answer.status_code == 403, (method, path, held)
                denials += method not in READS
            answer = client.request(method, address, headers={"authorization": f"Bearer {tokens[Scope(scope)]}"})
            assert answer.status_code not in {401, 403, 500}, (method, path, answer.text)
    with sqlite_database.read() as read:
        denied = [entry for entry in _all(read) if entry.result == "denied" and entry.object_kind == "route"]
    assert len(denied) == denials > 250


@pytest.mark.timeout(300)
@pytest.mark.parametrize("role", sorted(ROLES))
def test_each_role_opens_what_its_scopes_say(app: FastAPI, control: Control, role: str) -> None:
    wanted = [row for row in operations(app) if row[1].startswith(PREFIXES[0]) and row[2] != PUBLIC]
    with serving(app) as url, httpx.Client(base_url=url, trust_env=False, timeout=60) as client:
        people = People(control, client)
        token = people.token(f"a {role}", role)
        for method, path, scope in sorted(wanted, key=lambda row: row[1].endswith("/logout")):
            answer = client.request(
                method, re.sub(r"\{[^}]*\}", "1", path), headers={"authorization": f"Bearer {token}"}
            )
            assert (answer.status_code == 403) == (scope not in ROLES[role]), (role, method, path, answer.text)


def test_roles_carry_no_more_than_they_need() -> None:
    may = {scope: {role for role, scopes in ROLES.items() if scope in scopes} for scope in Scope}
    assert may[Scope.ADMIN] == {"admin"} and may[Scope.SIMULATE] == set()
    assert may[Scope.POLICY_APPLY] == {"ops", "admin"}
    assert may[Scope.POLICY_APPROVE] == {"data_scientist", "ops", "admin"}
    assert may[Scope.SUBJECT_ERASE] <= {"ops", "admin"}
    assert may[Scope.AUDIT_READ] == {"ops", "admin"}
    assert may[Scope.FAIRNESS_READ] == {"data_scientist", "admin"}
    assert "marketer" not in may[Scope.DECISION_READ] | may[Scope.CONSENT_READ]
    assert not {scope for scope, roles in may.items() if "service" in roles and str(scope).startswith("policy")}
    assert {scope for scope, roles in may.items() if "end_user" in roles} == {Scope.OWN}
    assert may[Scope.OWN] == {"end_user"} and may[Scope.OWN_ISSUE] == {"service", "admin"}


def _all(read: object) -> list[ledger.LedgerEntry]:
    found: list[ledger.LedgerEntry] = []
    before: int | None = None
    while page := ledger.entries(read, before_seq=before, limit=500):  # type: ignore[arg-type]  # a read session
        found += page
        before = page[-1].seq
    return found


def test_a_route_that_names_no_scope_is_closed(control: Control, sqlite_database: Database, keys: Keys) -> None:
    app = FastAPI(openapi_url=None)
    app.state.gate = Gate(sqlite_database, control, keys)
    install(app)
    app.router.route_class = GuardedRoute
    app.get("/forgotten")(lambda: {"open": True})
    with serving(app) as url, httpx.Client(base_url=url, trust_env=False) as client:
        token = People(control, client).token("anna")
        answer = client.get("/forgotten", headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 403 and "open" not in answer.text


def test_a_token_expires(people: People, control: Control, clock: Any) -> None:
    minted = control.mint(
        name="short", principal="p", role="marketer", scopes=(Scope.READ.value,), expires_in_s=60, warrant=warrant()
    )
    short = Person(people.client, minted.token)
    assert short.get("/me").status_code == 200
    clock.at += 61 * 1_000_000
    assert people("x").get("/me").status_code == 200
    assert short.get("/me").status_code == 401
