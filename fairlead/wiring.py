"""The parts put together: settings in, stores and the three processes' configurations out."""

import errno
import hmac
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fairlead import __version__
from fairlead.settings import Settings
from storage.errors import Full, Unavailable
from storage.records import clock

if TYPE_CHECKING:
    from dashboard.app import DashboardConfig
    from governance.alerts.deadman import Watch
    from governance.alerts.destinations import Destination
    from governance.api.app import ControlContext
    from governance.control import Control
    from scoring_core.edges.config import EngineConfig
    from storage.anchors import Anchors
    from storage.database import Database
    from storage.keys import Keys
    from storage.lake import Lake
    from storage.passports import Issuer


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """What an installation remembers, and the clock that all of one process go by."""

    home: Path
    database: "Database"
    keys: "Keys"
    lake: "Lake"
    anchors: "Anchors"
    now: Callable[[], int] = clock.now


def ensure_home(home: Path) -> None:
    """Make the home folder and see that it can be written.

    Raises
    ------
    Full, Unavailable
        With the remedy, when it cannot.
    """
    probe = home / ".writable"
    try:
        home.mkdir(parents=True, exist_ok=True)
        with probe.open("wb") as file:
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())
        probe.unlink()
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise Full(f"no room left for {home}; free some space, or set FAIRLEAD_HOME to another disk") from None
        raise Unavailable(
            f"{home} cannot be written ({error.strerror}); make it writable, or set FAIRLEAD_HOME to another folder"
        ) from None


def open_database(settings: Settings) -> "Database":
    """Open the control database; nothing is read yet."""
    from storage.database import Database

    if settings.database_url is None:
        ensure_home(settings.home)
    return Database(settings.database)


def _store(settings: Settings, database: "Database") -> Store:
    from storage.anchors import Anchors
    from storage.keys import Keys
    from storage.lake import Lake

    keys = Keys.open(settings.home)
    return Store(
        home=settings.home,
        database=database,
        keys=keys,
        lake=Lake(settings.home / "lake"),
        anchors=Anchors(settings.home / "anchors" / "anchors.jsonl", keys.signing),
    )


def open_store(settings: Settings) -> Store:
    """Open everything, making what is missing: folder, schema, keys."""
    from storage import migrations

    ensure_home(settings.home)
    database = open_database(settings)
    if not migrations.is_current(database):
        migrations.upgrade(database)
    return _store(settings, database)


def open_existing(settings: Settings) -> Store:
    """Open an installation that was started before.

    Raises
    ------
    Unavailable
        When there is none, or its schema is not this version's.
    """
    from storage import migrations

    if settings.database_url is None and not (settings.home / "fairlead.db").exists():
        raise Unavailable(f"nothing is installed in {settings.home}; run `fairlead up` first, or set FAIRLEAD_HOME")
    database = open_database(settings)
    if not migrations.is_current(database):
        raise Unavailable("the database's schema is not this version's; run `fairlead db upgrade`")
    return _store(settings, database)


def control_of(settings: Settings, store: Store) -> "Control":
    """Return the only writer of control state."""
    from governance.control import Control

    return Control(store.database, store.keys, environment=settings.environment, solo=settings.solo, now=store.now)


def issuer_of(settings: Settings) -> "Issuer | None":
    """Return the identity provider whose tokens hold, None where people sign in by one-time links alone.

    Raises
    ------
    Invalid
        If its settings cannot be used.
    """
    if settings.oidc_issuer is None:
        return None
    from storage.passports import Issuer

    pairs = [pair.strip().rpartition("=") for pair in settings.oidc_roles.split(",") if pair.strip()]
    return Issuer(
        url=settings.oidc_issuer,
        audience=settings.oidc_audience or settings.oidc_client_id,
        name=settings.oidc_name,
        groups=settings.oidc_groups,
        roles={group.strip(): role.strip() for group, _, role in pairs},
    )


def destinations_of(settings: Settings) -> "tuple[Destination, ...]":
    """Return where alerts are sent.

    Raises
    ------
    Invalid
        If the setting cannot be read; never with what stands there.
    """
    from governance.alerts.destinations import parse

    secret = settings.alert_destinations
    return parse(secret.get_secret_value()) if secret is not None else ()


def watch_of(settings: Settings, store: Store) -> "Watch":
    """Return who delivers alerts, and notices when nobody makes any.

    Raises
    ------
    Invalid
        If Apprise does not know a destination.
    """
    from governance.alerts.courier import Courier, Sender, require_known
    from governance.alerts.deadman import Watch
    from storage.records import clock

    known, heartbeat = destinations_of(settings), settings.heartbeat_url
    if known:
        require_known(known)
    sender = Sender(dashboard=settings.dashboard, environment=settings.environment)
    courier = Courier(store.database, known, sender, now=clock.now)
    return Watch(store.database, known, courier, heartbeat=heartbeat.get_secret_value() if heartbeat else "")


def control_context(settings: Settings, store: Store, control: "Control", *, jobs: frozenset[str]) -> "ControlContext":
    """Return what the control API works with."""
    from governance.api.app import ControlContext
    from storage.keys import read_token
    from storage.passports import Passports

    def examined() -> list[dict[str, str]]:
        from fairlead.checkup import examine_running

        return [finding.plain() for finding in examine_running(settings, store)]

    issuer = issuer_of(settings)
    passports = Passports(issuer) if issuer else None
    return ControlContext(
        control=control,
        database=store.database,
        keys=store.keys,
        home=store.home,
        environment=settings.environment,
        solo=settings.solo,
        lake=store.lake,
        engine_token=read_token(store.home, "collector") or "",
        page_token=read_token(store.home, "page") or "",
        jobs=jobs,
        version=__version__,
        passports=passports,
        destinations=destinations_of(settings),
        examine=examined,
        lake_bytes=settings.retention_max_bytes,
    )


def engine_config(settings: Settings, replica: int) -> "EngineConfig":
    """Return what replica number ``replica`` is told: its own port and its own log, the rest shared."""
    from scoring_core.edges.config import EngineConfig

    return EngineConfig(
        home=settings.home,
        replica=f"engine-{replica}",
        host=settings.host,
        port=settings.engine_port + replica,
        url=settings.engine_url(replica),
        database_url=settings.database,
        redis_url=settings.redis or "",
        environment=settings.environment,
        plugin_s=settings.plugin_ms / 1e3,
        issuer=issuer_of(settings),
    )


def dashboard_config(settings: Settings) -> "DashboardConfig":
    """Return what the dashboard is told."""
    from dashboard.app import DashboardConfig, SignIn

    issuer, sign_in = issuer_of(settings), None
    if issuer is not None and settings.oidc_client_secret is not None:
        from storage.keys import Keys

        sign_in = SignIn(
            issuer=issuer.url,
            client_id=settings.oidc_client_id,
            client_secret=settings.oidc_client_secret.get_secret_value(),
            redirect=f"{settings.dashboard}/oauth2callback",
            cookie_secret=hmac.digest(Keys.open(settings.home).commitment, b"cookies of the dashboard", "sha256").hex(),
        )
    return DashboardConfig(
        home=settings.home,
        host=settings.host,
        port=settings.dashboard_port,
        database_url=settings.database,
        control_url=settings.control,
        environment=settings.environment,
        sign_in=sign_in,
    )
