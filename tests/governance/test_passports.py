"""Tokens of a real provider in a process of its own, judged by both APIs."""

import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from governance.api.app import create_app
from governance.api.context import ControlContext
from governance.control import Control
from storage import ledger
from storage.database import Database
from storage.errors import Forbidden, Invalid, Unauthenticated, Unavailable
from storage.keys import Keys
from storage.lake import Lake
from storage.passports import OLDEST, Issuer, Passports
from storage.records import clock as wall
from storage.records.access import ROLES as OURS
from storage.records.clock import SECOND
from tests.provider import CLIENT, Running, provider
from tests.scoring_core.edges.running import install, running

from .conftest import REASON
from .served import Person, serving

ROLES = {"fl-ops": "ops", "fl-shop": "marketer"}


@pytest.fixture(scope="module")
def known() -> Iterator[Running]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with provider(port) as running_provider:
        yield running_provider


def issuer(known: Running, **more: str) -> Issuer:
    return Issuer(url=known.url, audience=CLIENT, roles=ROLES, **more)  # type: ignore[arg-type]


@pytest.fixture
def passports(known: Running) -> Passports:
    made = Passports(issuer(known))
    made.refresh()
    return made


def test_a_person_has_the_role_of_their_group(known: Running, passports: Passports) -> None:
    olga, until = passports.principal(known.token("olga"))
    assert (olga.name, olga.role, olga.scopes) == ("olga", "ops", OURS["ops"])
    assert 500 < (until - wall.now()) / SECOND <= 600 and olga.token_id.startswith("oidc:")
    assert passports.principal(known.token("mia"))[0].role == "marketer"
    assert passports.principal(known.token("olga", groups="fl-shop"))[0].role == "marketer"
    assert passports.principal(known.token("olga", groups=["fl-shop", "fl-ops"]))[0].role == "ops"
    for groups in ([], ["ops"], [7], {"fl-ops": 1}, 7, None):
        with pytest.raises(Forbidden, match="none of your groups"):
            passports.principal(known.token("olga", groups=groups))
    with pytest.raises(Forbidden):
        passports.principal(known.token("nobody"))


@pytest.mark.parametrize(
    ("how", "claims"),
    [
        ("unsigned", {}),
        ("shared", {}),
        ("edited", {}),
        ("stranger", {}),
        ("good", {"aud": "another"}),
        ("good", {"aud": None}),
        ("good", {"iss": "https://elsewhere.example"}),
        ("good", {"iss": None}),
        ("good", {"exp": 1_700_000_000}),
        ("good", {"exp": None}),
        ("good", {"iat": None}),
        ("good", {"iat": 4_000_000_000}),
        ("good", {"nbf": 4_000_000_000}),
        ("good", {"sub": None}),
        ("good", {"sub": ""}),
        ("good", {"sub": "a\u202eb"}),
        ("good", {"sub": "fairlead"}),
        ("good", {"sub": "engine:engine-0"}),
    ],
)
def test_a_passport_that_is_not_right_opens_nothing(
    known: Running, passports: Passports, how: str, claims: dict[str, object]
) -> None:
    with pytest.raises(Unauthenticated):
        passports.principal(known.token("olga", how, **claims))


def test_what_is_no_token_is_refused_alike(passports: Passports) -> None:
    for text in ("", "a.b.c", "..", "é.é.é", "eyJhbGciOiJSUzI1NiJ9.e30.AAAA", "x" * 10_000 + ".y.z"):
        with pytest.raises(Unauthenticated):
            passports.principal(text)


def test_a_passport_grows_old_whatever_it_says(known: Running) -> None:
    token = known.token("olga", exp=4_000_000_000)
    later = Passports(issuer(known), now=lambda: wall.now() + OLDEST + 60 * SECOND)
    later.refresh()
    with pytest.raises(Unauthenticated):
        later.principal(token)


def test_names_by_email_are_vouched_for_and_of_one_case(known: Running) -> None:
    made = Passports(issuer(known, name="email"))
    made.refresh()
    assert made.principal(known.token("olga"))[0].name == "olga@example.org"
    with pytest.raises(Unauthenticated, match="vouch"):
        made.principal(known.token("mia"))


def test_new_keys_are_found(known: Running) -> None:
    made = Passports(issuer(known))
    with pytest.raises(Unavailable):
        made.principal(known.token())
    made.refresh()
    before = known.token()
    rotated = known.token(how="rotated")
    with pytest.raises(Unauthenticated):
        made.principal(rotated)
    made.refresh()
    assert made.principal(rotated)[0].name == made.principal(before)[0].name == "olga"


def test_a_provider_that_is_none_is_told(known: Running) -> None:
    other = known.url.replace("127.0.0.1", "localhost")
    with pytest.raises(Unavailable, match="another issuer"):
        Passports(Issuer(url=other, audience=CLIENT)).refresh()
    with pytest.raises(Unavailable, match="does not answer"):
        Passports(Issuer(url=known.url + "/keys", audience=CLIENT)).refresh()
    for url in ("http://provider.example", "ftp://x", "nonsense"):
        with pytest.raises(Invalid, match="https"):
            Issuer(url=url, audience=CLIENT)
    for role in ("king", "end_user"):
        with pytest.raises(Invalid, match="no role"):
            Issuer(url=known.url, audience=CLIENT, roles={"g": role})


def test_control_lets_them_in_and_the_ledger_knows_them(
    known: Running, passports: Passports, control: Control, sqlite_database: Database, keys: Keys, home: Path
) -> None:
    context = ControlContext(
        control=control,
        database=sqlite_database,
        keys=keys,
        home=home,
        environment="test",
        solo=False,
        lake=Lake(home / "lake"),
        passports=passports,
    )
    with serving(create_app(context)) as url, httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        olga, mia = Person(client, known.token("olga")), Person(client, known.token("mia"))
        assert olga.get("/me").json()["role"] == "ops"
        change = {"kind": "policy.rollout", "key": "home", "payload": {"version": 2, "percent": 50}, "reason": REASON}
        number = olga.post("/changes", json=change).json()["change_id"]
        olga.post(f"/changes/{number}/submit", json={"reason": REASON})
        again = Person(client, known.token("olga", jti="another session"))
        assert again.post(f"/changes/{number}/approve", json={"reason": REASON}).status_code == 403
        assert mia.post("/kill", json={"on": True, "reason": REASON}).status_code == 403
        assert Person(client, known.token("nobody")).get("/me").status_code == 403
        assert Person(client, known.token("olga", "edited")).get("/me").status_code == 401
    with sqlite_database.read() as read:
        assert {"olga", "mia"} <= {entry.actor for entry in ledger.entries(read)}


def test_the_engine_lets_them_in(known: Running, home: Path) -> None:
    made = install(home)
    with running(made, issuer=issuer(known)) as engine:

        def ask(token: str, path: str = "/metrics") -> int:
            return engine.client.get(path, headers={"authorization": f"Bearer {token}"}).status_code

        olga = known.token("olga")
        engine.until(lambda: ask(olga) == 200)
        assert ask(olga) == 200 and ask(olga, "/v1/journal") == 403
        assert ask(known.token("mia")) == 403
        assert ask(known.token("nobody")) == 403
        for how in ("edited", "unsigned", "shared", "stranger"):
            assert ask(known.token("olga", how)) == 401
        assert ask(known.token("olga", exp=1_700_000_000)) == 401
    made.database.close()


def test_no_passport_outlives_its_end(known: Running, passports: Passports, monkeypatch: pytest.MonkeyPatch) -> None:
    from scoring_core.edges import auth
    from scoring_core.edges.rest.problems import Refused
    from storage.records.access import Scope

    door = auth.Door(passports)
    header = f"Bearer {known.token('olga')}".encode()
    assert door.admit(header, Scope.METRICS_READ).name == "olga"
    end = wall.now() + 700 * SECOND
    monkeypatch.setattr(passports, "_now", lambda: end)
    monkeypatch.setattr(auth.clock, "now", lambda: end)
    with pytest.raises(Refused, match="expired"):
        door.admit(header, Scope.METRICS_READ)
