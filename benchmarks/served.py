"""An installation that runs beside others while it is looked at."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks.figures import cpu_seconds
from benchmarks.ports import free_ports

START_S = 240.0
CALM, CALM_S, CALM_WITHIN_S = 0.2, 5.0, 300.0
"""Pages are timed once the installation has done what it does first after a start: so many cores over so long, and no
job of control."""


@dataclass(frozen=True, kw_only=True)
class Served:
    """One installation that runs: where its dashboard is, the cookie of who is signed in, the dashboard's process, and
    all of them."""

    address: str
    name: str
    value: str
    pid: int
    pids: tuple[int, ...] = ()


def environ(home: Path, ports: list[int]) -> dict[str, str]:
    """Return the environment of one installation: nothing of another's, no past, no retraining beside it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FAIRLEAD_")}
    names = ("ENGINE", "GRPC", "CONTROL", "DASHBOARD")
    own = {f"FAIRLEAD_{name}_PORT": str(port) for name, port in zip(names, ports, strict=True)}
    quiet = {f"FAIRLEAD_{name}": "false" for name in ("RETRAIN_MINOR", "RETRAIN_MAJOR", "STORY")}
    return kept | own | quiet | {"FAIRLEAD_HOME": str(home)}


def _children(parent: int) -> dict[str, int]:
    """Return the children of a process by what they were started as."""
    children = {}
    for found in Path("/proc").iterdir():
        with contextlib.suppress(OSError, IndexError, ValueError):
            if int((found / "stat").read_text().rsplit(")", 1)[1].split()[1]) == parent:
                words = (found / "cmdline").read_text().split("\0")
                children[words[words.index("fairlead") + 1]] = int(found.name)
    return children


def calm(at: Served) -> None:
    """Wait until an installation has little to do."""
    until = time.monotonic() + CALM_WITHIN_S
    while time.monotonic() < until:
        used = sum(map(cpu_seconds, at.pids))
        time.sleep(CALM_S)
        works = any("job" in _children(pid) for pid in at.pids)
        if not works and sum(map(cpu_seconds, at.pids)) - used < CALM * CALM_S:
            return
    print("it never was calm", file=sys.stderr)


@contextlib.contextmanager
def served(home: Path, *, per_second: float = 0.0) -> Iterator[Served]:
    """Run an installation, with so much traffic, and sign in."""
    ports = free_ports(4)
    talk, out = home.with_suffix(".talk"), home.with_suffix(".out")
    with out.open("w") as data, talk.open("w") as said:
        command = [sys.executable, "-m", "fairlead", "up", "--json"]
        command += ["--traffic", "--traffic-rate", f"{per_second:g}"] if per_second else ["--no-traffic"]
        child = subprocess.Popen(command, env=environ(home, ports), stdin=subprocess.DEVNULL, stdout=data, stderr=said)
    try:
        until = time.monotonic() + START_S
        while not out.read_text().strip().endswith("}"):
            if time.monotonic() > until or child.poll() is not None:
                raise RuntimeError(f"it did not start: {talk.read_text()[-500:]}")
            time.sleep(0.2)
        link = json.loads(out.read_text())["url"]
        with httpx.Client(trust_env=False) as client:
            client.get(link)
            (name, value), *_ = client.cookies.items()
        children = _children(child.pid)
        yield Served(
            address=f"http://127.0.0.1:{ports[3]}",
            name=name,
            value=value,
            pid=children["dashboard"],
            pids=tuple(children.values()),
        )
    finally:
        child.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(60)
        child.kill()
        child.wait()
