"""The three processes, each from settings to exit code."""

import contextlib
import ipaddress
import logging
import os
import signal
import socket
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NoReturn

import structlog

from fairlead import logs
from fairlead.settings import Settings
from fairlead.wiring import (
    Store,
    control_context,
    control_of,
    dashboard_config,
    destinations_of,
    engine_config,
    ensure_home,
    open_store,
    watch_of,
)
from storage.errors import Conflict, Forbidden, Unavailable
from storage.records import clock

if TYPE_CHECKING:
    from governance.control import Control
    from storage.records.tasks import Task

os.environ.setdefault("DO_NOT_TRACK", "1")
log = structlog.get_logger(__name__)

STOP_S = 3
"""How long control waits for answers under way, then for tasks of the schedule, before it cuts them off."""


def require_port(host: str, port: int, *, what: str, setting: str) -> None:
    """See that a port can be listened on.

    Raises
    ------
    Conflict
        Naming the port and the setting that moves it.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Conflict(
                f"port {port} on {host} cannot be taken for {what} ({error.strerror}); "
                f"stop what uses it, or set {setting} to another"
            ) from None


def require_loopback(host: str, *, signed_in: bool) -> None:
    """See that pages and control stay on this machine unless people sign in with an identity provider: a one-time link
    is no sign-in for a network.

    Raises
    ------
    Forbidden
        With the remedy.
    """
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(host).is_loopback:
            return
    if host != "localhost" and not signed_in:
        raise Forbidden(
            f"{host} is no loopback address: a one-time link is no sign-in for a network; set FAIRLEAD_OIDC_ISSUER, or "
            "listen on 127.0.0.1 and put a proxy with sign-in before it"
        )


def follow_parent(lifeline: int | None) -> None:
    """Stop this process as soon as the other end of ``lifeline`` (a pipe) closes: its supervisor is gone."""
    if lifeline is None:
        return

    def wait() -> None:
        with contextlib.suppress(OSError):
            while os.read(lifeline, 64):
                pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="lifeline", daemon=True).start()


def run_engine(settings: Settings, *, replica: int, lifeline: int | None = None) -> int:
    """Serve as replica number ``replica`` until told to stop."""
    from scoring_core.edges.engine import run

    logs.configure(f"engine-{replica}")
    ensure_home(settings.home)
    port = settings.engine_port + replica
    require_port(settings.host, port, what=f"engine {replica}", setting="FAIRLEAD_ENGINE_PORT")
    follow_parent(lifeline)
    return run(engine_config(settings, replica))


def run_dashboard(settings: Settings, *, lifeline: int | None = None) -> int:
    """Serve the dashboard until told to stop."""
    from dashboard.app import run

    logs.configure("dashboard")
    require_loopback(settings.host, signed_in=settings.oidc_issuer is not None)
    require_port(settings.host, settings.dashboard_port, what="the dashboard", setting="FAIRLEAD_DASHBOARD_PORT")
    follow_parent(lifeline)
    return run(dashboard_config(settings))


def scheduled(settings: Settings, store: Store, control: "Control") -> "Sequence[Task]":
    """Return everything that the clock runs."""
    import collectors.tasks
    import governance.tasks
    from governance.retraining import RetrainPlan
    from storage.keys import read_token

    token = read_token(store.home, "collector")
    if token is None:
        raise Unavailable("keys/collector.token is missing; restore it from the backup, or start with a fresh home")
    seen = collectors.tasks.CollectorContext(
        database=store.database, lake=store.lake, home=store.home, token=token, now=store.now
    )
    allowed = governance.tasks.TaskContext(
        control=control,
        database=store.database,
        keys=store.keys,
        home=store.home,
        lake=store.lake,
        now=store.now,
        retraining=RetrainPlan(
            minor=settings.retrain_minor,
            major=settings.retrain_major,
            hour=settings.retrain_hour,
            zone=settings.retrain_zone,
        ),
        drift_window_s=settings.drift_window_seconds,
        destinations=destinations_of(settings),
    )
    return (*collectors.tasks.tasks(seen), *governance.tasks.tasks(allowed))


def run_control(settings: Settings, *, lifeline: int | None = None) -> NoReturn:
    """Serve the control API, run the schedule while leading, and the jobs, until told to stop; then end this process
    with 0, or with 1 if it could not start."""
    import uvicorn

    from fairlead.jobs import JOBS, Runner
    from fairlead.schedule import Schedule
    from governance.api.app import create_app
    from governance.consent_files import JOB as CONSENT_FILE

    logs.configure("control")
    require_loopback(settings.host, signed_in=settings.oidc_issuer is not None)
    require_port(settings.host, settings.control_port, what="control", setting="FAIRLEAD_CONTROL_PORT")
    store = open_store(settings)
    control = control_of(settings, store)
    control.bootstrap(store.home)
    context = control_context(settings, store, control, jobs=frozenset(JOBS) - {CONSENT_FILE})
    if context.passports is not None:
        context.passports.start()
    application = create_app(context)
    holder = f"{socket.gethostname()}:{os.getpid()}:{clock.now()}"
    schedule = Schedule(store.database, scheduled(settings, store, control), holder=holder)
    runner = Runner(settings, store.database)
    watch = watch_of(settings, store)
    server = uvicorn.Server(
        uvicorn.Config(
            application,
            host=settings.host,
            port=settings.control_port,
            access_log=False,
            log_level="warning",
            server_header=False,
            timeout_graceful_shutdown=STOP_S,
        )
    )
    follow_parent(lifeline)
    # uvicorn raises a caught signal again once it has stopped; the schedule must still end gracefully then
    signal.signal(signal.SIGTERM, lambda *_: None)
    schedule.start()
    runner.start()
    watch.start()
    try:
        with contextlib.suppress(KeyboardInterrupt):
            server.run()
    finally:
        with ThreadPoolExecutor(2) as stopping:  # side by side: the supervisor waits nine seconds for all of it
            stopping.submit(runner.stop)
            stopping.submit(watch.stop)
            ended = schedule.stop(within_s=STOP_S)
        store.database.close()
    if not ended:
        log.warning("a task of the schedule was cut off; it is done again at the next start")
    logging.shutdown()
    # all that must end in order has; Python's own teardown of every module would take seconds on a busy machine
    os._exit(0 if server.started else 1)
