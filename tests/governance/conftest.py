"""A control desk on a real database, with people of several roles."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from governance.alerts.destinations import parse
from governance.api.app import create_app
from governance.api.context import ControlContext
from governance.control import Control
from governance.preset import Preset, PresetPolicy
from governance.warrants import Warrant
from storage.database import Database
from storage.keys import Keys, read_token
from storage.lake import Lake
from storage.records.access import ROLES, Principal
from storage.records.campaigns import Campaign
from storage.records.events import EventType
from storage.records.policies import Attribute, Exploration, Installation, Policy, Surface

if TYPE_CHECKING:
    from .served import People

REASON = "because the test says so"
NOW = 1_760_000_000_000_000


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self, at: int = NOW) -> None:
        self.at = at

    def __call__(self) -> int:
        return self.at


def someone(name: str, role: str = "admin", token: str = "") -> Principal:
    """A person of a role, by one of their tokens."""
    return Principal(name=name, role=role, scopes=ROLES[role], token_id=token or f"token-of-{name}")


def warrant(name: str = "alice", role: str = "admin", **more: Any) -> Warrant:
    """A warrant with a reason."""
    return Warrant(by=someone(name, role), **{"reason": REASON, **more})


def installation(**more: Any) -> Installation:
    """Settings with one surface and two kinds of event."""
    surface = Surface(key="home", context={"user_feature_0": Attribute(type="string"), "age": Attribute(type="number")})
    return Installation(
        **{
            "region": "demo",
            "consent_default": {"demo": {"personalization": "allow"}, "default": {}},
            "events": {"click": EventType(), "impression": EventType(weight=0.0)},
            "surfaces": {"home": surface, "cart": Surface(key="cart")},
            **more,
        }
    )


def policy(**more: Any) -> Policy:
    """A policy of the surface home."""
    return Policy(**{"surface": "home", **more})


def preset() -> Preset:
    """Two campaigns, and a policy whose version 2 is ready to go."""
    return Preset(
        name="test",
        installation=installation(),
        campaigns=(
            Campaign(key="men", name="Men", surfaces=("home",), status="running"),
            Campaign(key="prices", name="Prices", surfaces=("home",), status="paused", effect="price"),
        ),
        policies=(
            PresetPolicy(
                key="home",
                surface="home",
                versions=(policy(), policy(exploration=Exploration(epsilon=0.1)), policy(join_window_s=3600)),
            ),
        ),
    )


@pytest.fixture
def clock() -> Clock:
    """The clock that control goes by."""
    return Clock()


@pytest.fixture
def keys(home: Path) -> Keys:
    """The installation's keys."""
    return Keys.open(home)


@pytest.fixture
def lake(home: Path) -> Lake:
    """The installation's lake."""
    return Lake(home / "lake")


@pytest.fixture
def build(home: Path, keys: Keys, clock: Clock) -> Callable[..., Control]:
    """Make a bootstrapped control desk on a database."""

    def make(database: Database, *, solo: bool = False) -> Control:
        control = Control(database, keys, environment="test", solo=solo, now=clock)
        control.bootstrap(home, preset())
        return control

    return make


@pytest.fixture
def control(sqlite_database: Database, build: Callable[..., Control]) -> Control:
    """A control desk where two people are needed."""
    return build(sqlite_database)


@pytest.fixture
def solo(sqlite_database: Database, build: Callable[..., Control]) -> Control:
    """A control desk of one person."""
    return build(sqlite_database, solo=True)


@pytest.fixture
def context(control: Control, sqlite_database: Database, keys: Keys, home: Path) -> ControlContext:
    """What the control API answers from."""
    return ControlContext(
        control=control,
        database=sqlite_database,
        keys=keys,
        home=home,
        environment="test",
        solo=False,
        lake=Lake(home / "lake"),
        engine_token=read_token(home, "collector") or "",
        destinations=parse("desk=json://127.0.0.1:9/ shop/campaigns=json://127.0.0.1:9/"),
    )


@pytest.fixture
def people(control: Control, context: ControlContext) -> Iterator["People"]:
    """People of every role, each with a token, before a control API that is really served."""
    from .served import People, serving  # it takes its warrants from here

    with serving(create_app(context)) as url, httpx.Client(base_url=url, trust_env=False, timeout=60) as client:
        yield People(control, client)
