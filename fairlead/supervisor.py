"""``fairlead up``: one engine or several, control, the dashboard and paced traffic, from nothing to one URL."""

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fairlead.children import Children, Spec
from fairlead.client import control_client
from fairlead.console import emit, say
from fairlead.processes import require_loopback, require_port
from fairlead.settings import Settings
from fairlead.wiring import ensure_home
from storage.errors import Conflict, Invalid


@contextmanager
def sole(home: Path) -> Iterator[None]:
    """Hold the home folder: two copies side by side need two of them.

    Raises
    ------
    Conflict
        While another ``fairlead up`` runs on it.
    """
    with (home / ".up.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Conflict(
                f"another `fairlead up` runs on {home}; stop it, or set FAIRLEAD_HOME and the ports to others"
            ) from None
        yield


def specs(settings: Settings) -> list[Spec]:
    """Return what runs, in the order in which it starts."""
    dashboard = f"http://{settings.host}:{settings.dashboard_port}/healthz"
    engines = [
        Spec(
            name=f"engine-{replica}",
            arguments=("engine", "--replica", str(replica)),
            ready=f"{settings.engine_url(replica)}/readyz",
        )
        for replica in range(settings.replicas)
    ]
    found = [
        Spec(name="control", arguments=("control",), ready=f"{settings.control}/healthz"),
        *engines,
        Spec(name="dashboard", arguments=("dashboard",), ready=dashboard),
    ]
    if settings.traffic:
        found.append(Spec(name="traffic", arguments=("traffic",), stop_first=True))
    return found


def require_ports(settings: Settings) -> None:
    """See that every port is one process's own, and free, before anything is imported or started."""
    engines = [settings.engine_port + replica for replica in range(settings.replicas)]
    asked = [*engines, settings.control_port, settings.dashboard_port]
    if len(set(asked)) != len(asked):
        raise Conflict(
            "engine, control and dashboard need ports of their own; replica k takes FAIRLEAD_ENGINE_PORT + k"
        )
    for replica, port in enumerate(engines):
        require_port(settings.host, port, what=f"engine {replica}", setting="FAIRLEAD_ENGINE_PORT")
    require_port(settings.host, settings.control_port, what="control", setting="FAIRLEAD_CONTROL_PORT")
    require_port(settings.host, settings.dashboard_port, what="the dashboard", setting="FAIRLEAD_DASHBOARD_PORT")


def login_link(settings: Settings) -> str:
    """Return a link to the dashboard that signs in once, within ten minutes."""
    once = control_client(settings).post("/auth/once", {})["once"]
    return f"http://{settings.host}:{settings.dashboard_port}/auth/once/{once}"


def prepare(settings: Settings) -> None:
    """Bring the installation to where it can serve: schema, keys, tokens, the demo's campaigns, data, a model."""
    from fairlead.datasets import ensure_data
    from fairlead.jobs import run_now
    from fairlead.presets.open_bandit import preset
    from fairlead.story.begin import give_up, live_through, wanted
    from fairlead.wiring import control_of, open_store
    from storage import registry

    store = open_store(settings)
    if not settings.story:
        give_up(store)
    elif wanted(store):
        live_through(settings, store)
    control = control_of(settings, store)
    control.bootstrap(store.home, preset())
    training = ensure_data(store)
    with store.database.read() as read:
        trained = bool(registry.in_service(read))
    if not trained:
        say("training the ranker …")
        begin = time.monotonic()
        model = run_now(settings, "train", training)
        say(
            f"  {model['name']} {model['version']}, confidence {model['calibration']} "
            f"({time.monotonic() - begin:.0f} s): {model['reason']}"
        )
    store.database.close()


def _prepared(environ: Mapping[str, str], stop: threading.Event) -> int:
    """Prepare in a process of its own, so that the supervisor stays small; return its exit code."""
    child = subprocess.Popen([sys.executable, "-m", "fairlead", "prepare"], env=dict(environ), process_group=0)
    try:
        while child.poll() is None and not stop.wait(0.05):
            pass
    finally:
        if child.poll() is None:
            child.terminate()
    return child.wait()


def _notes(settings: Settings) -> None:
    if settings.replicas > 1 and settings.redis is None:
        say(
            f"{settings.replicas} engines without --redis: what is known of a person, and later caps, "
            "are kept per engine; consent, policies and models are shared"
        )
    if settings.traffic:
        say(
            f"traffic: {settings.traffic_rate:g} requests/s from logged contexts, marked simulated (--no-traffic: none)"
        )


def up(settings: Settings, *, as_json: bool = False) -> int:
    """Run everything until told to stop.

    Returns
    -------
    int
        0 after a graceful stop, 1 when stopped before it was ready, 6 when a child had to be ended by force; when
        preparing failed, its code.
    """
    if settings.control_url is not None:
        raise Invalid("`fairlead up` runs control itself; unset FAIRLEAD_CONTROL_URL")
    require_loopback(settings.host, signed_in=settings.oidc_issuer is not None)
    ensure_home(settings.home)
    stop = threading.Event()

    def told(number: int, _frame: Any) -> None:
        if not stop.is_set():
            say(f"stopping ({signal.Signals(number).name}) …")
        stop.set()

    with sole(settings.home):
        require_ports(settings)
        before = {number: signal.signal(number, told) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
        try:
            environ = {**os.environ, **settings.environ, "DO_NOT_TRACK": "1"}
            code = _prepared(environ, stop)
            if stop.is_set():
                say("stopped before it was ready; what was done stays, the next start goes on from there")
                return 1
            return code or _run(settings, environ, stop, as_json=as_json)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _run(settings: Settings, environ: Mapping[str, str], stop: threading.Event, *, as_json: bool) -> int:
    children = Children(specs(settings), environ=environ, folder=settings.home / "run", say=say)
    forced: list[str] = []
    try:
        if not stop.is_set():
            say(f"starting {', '.join(children.all)} …")
            children.start(*(name for name in children.all if name != "traffic"))
            children.wait_ready(*(name for name in children.all if name != "traffic"), stop=stop)
        if not stop.is_set():
            if settings.traffic:
                children.start("traffic")
            _notes(settings)
            link = login_link(settings)
            say("ready; the link signs in once within ten minutes (`fairlead login` prints another). Ctrl-C stops.")
            emit({"url": link} if as_json else link, as_json=as_json)
        while not stop.wait(0.5):
            children.mend()
    finally:
        forced = children.stop()
    if forced:
        say(f"ended by force: {', '.join(forced)}")
        return 6
    say("stopped")
    return 0
