"""Children of the supervisor: ready, restarted, stopped together, and never left behind."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fairlead.children import Children, Spec
from storage.errors import FairleadError, Unavailable

CHILD = """
import http.server, os, signal, sys, threading, time
kind, port = sys.argv[1], int(sys.argv[2])
lifeline = int(sys.argv[sys.argv.index("--lifeline") + 1])
if kind == "broken":
    print("no such table: moon"); sys.exit(3)
def follow():
    while os.read(lifeline, 64): pass
    os.kill(os.getpid(), signal.SIGTERM)
threading.Thread(target=follow, daemon=True).start()
if kind == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
class Ok(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.send_header("content-length", "0"); self.end_headers()
    def log_message(self, *_): pass
if port:
    http.server.HTTPServer(("127.0.0.1", port), Ok).serve_forever()
print("here", flush=True)
time.sleep(60)
"""


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def until(condition: object, within_s: float = 20.0) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if condition():  # type: ignore[operator]  # a callable
            return True
        time.sleep(0.02)
    return False


class Family:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said: list[str] = []
        self.made: list[Children] = []

    def __call__(self, *specs: Spec) -> Children:
        children = Children(
            specs,
            environ=dict(os.environ),
            folder=self.folder / "run",
            say=self.said.append,
            program=(sys.executable, "-c", CHILD),
        )
        self.made.append(children)
        return children


@pytest.fixture
def family(tmp_path: Path) -> Iterator[Family]:
    made = Family(tmp_path)
    yield made
    for children in made.made:
        children.stop(within_s=2.0)


def spec(name: str, kind: str = "plain", port: int = 0) -> Spec:
    ready = f"http://127.0.0.1:{port}/readyz" if port else None
    return Spec(name=name, arguments=(kind, str(port)), ready=ready)


def test_waits_until_a_child_answers(family: Family) -> None:
    children = family(spec("engine", port=free_port()), spec("other"))
    children.start()
    children.wait_ready(stop=threading.Event(), within_s=20.0)
    assert all(child.alive for child in children.all.values())


def test_a_child_that_ends_before_it_is_ready_is_reported_with_its_last_words(family: Family) -> None:
    children = family(spec("control", "broken", port=free_port()))
    children.start()
    with pytest.raises(FairleadError, match=r"(?s)control ended with 3.*no such table: moon"):
        children.wait_ready(stop=threading.Event(), within_s=20.0)


def test_a_child_that_is_never_ready_is_named(family: Family) -> None:
    port = free_port()
    children = family(Spec(name="engine", arguments=("plain", "0"), ready=f"http://127.0.0.1:{port}/"))
    children.start()
    with pytest.raises(Unavailable, match="engine: not ready"):
        children.wait_ready(stop=threading.Event(), within_s=0.5)


def test_a_killed_child_starts_again(family: Family) -> None:
    children = family(spec("engine"))
    children.start()
    child = children.all["engine"]
    assert child.process is not None
    first = child.process.pid
    os.kill(first, signal.SIGKILL)
    assert until(lambda: not child.alive)
    assert until(lambda: (children.mend(), child.alive)[1])
    assert child.process.pid != first
    assert child.restarts == 1
    assert "engine ended with -9" in family.said[0]


def test_a_child_that_was_never_started_is_not_mended(family: Family) -> None:
    children = family(spec("traffic"))
    children.mend()
    assert not children.all["traffic"].alive


def test_a_child_that_does_not_listen_is_ended_by_force_and_named(family: Family) -> None:
    children = family(spec("engine", "stubborn"), spec("other"))
    children.start()
    assert until(lambda: all("here" in child.last_words() for child in children.all.values()))
    assert children.stop(within_s=1.0) == ["engine"]
    assert not any(child.alive for child in children.all.values())


def test_children_do_not_outlive_their_supervisor(tmp_path: Path) -> None:
    script = f"""
import os, sys, time
from pathlib import Path
from fairlead.children import Children, Spec
children = Children(
    [Spec(name="engine", arguments=("plain", "0"))],
    environ=dict(os.environ),
    folder=Path({str(tmp_path)!r}),
    say=print,
    program=(sys.executable, "-c", {CHILD!r}),
)
children.start()
while "here" not in children.all["engine"].last_words(): time.sleep(0.02)
print(children.all["engine"].process.pid, flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as supervisor:
        assert supervisor.stdout is not None
        child = int(supervisor.stdout.readline())
        supervisor.kill()
        supervisor.wait()

    def gone() -> bool:
        try:
            return Path(f"/proc/{child}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
        except FileNotFoundError:
            return True

    assert until(gone)
