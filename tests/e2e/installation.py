"""A whole installation, started the way a person starts it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from benchmarks.ports import free_ports

START_S = 240.0


def until(condition: Callable[[], Any], *, within_s: float = 30.0, every_s: float = 0.1) -> Any:
    """Wait for something to become true; return it, or what it was last."""
    deadline = time.monotonic() + within_s
    while not (found := condition()) and time.monotonic() < deadline:
        time.sleep(every_s)
    return found


@dataclass
class Copy:
    """One running copy: its home, its ports, its process."""

    home: Path
    engine: int
    control: int
    dashboard: int
    process: subprocess.Popen[bytes] | None = None
    url: str = ""
    settings: dict[str, str] = field(default_factory=dict)
    """More of its environment."""

    @property
    def database_url(self) -> str:
        """Where its control state is."""
        return self.settings.get("FAIRLEAD_DATABASE_URL", f"sqlite:///{self.home / 'fairlead.db'}")

    @property
    def environ(self) -> dict[str, str]:
        """Its environment: nothing of another copy's."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("FAIRLEAD_")}
        return kept | {
            "FAIRLEAD_HOME": str(self.home),
            "FAIRLEAD_ENGINE_PORT": str(self.engine),
            "FAIRLEAD_CONTROL_PORT": str(self.control),
            "FAIRLEAD_DASHBOARD_PORT": str(self.dashboard),
            "FAIRLEAD_STORY": "false",
            "XDG_CONFIG_HOME": str(self.home),
            **self.settings,
        }

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one command of it, as a script would: no terminal."""
        return subprocess.run(
            [sys.executable, "-m", "fairlead", *arguments],
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )

    def data(self, *arguments: str) -> Any:
        """Run one command with ``--json`` and return its document."""
        ran = self.run(*arguments, "--json")
        assert ran.returncode == 0, ran.stderr
        return json.loads(ran.stdout)

    def start(self, *arguments: str) -> "Copy":
        """Run ``fairlead up`` and wait for its URL."""
        with self._out.open("w") as out, self._talk.open("w") as talk:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "fairlead", "up", "--json", *arguments],
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=talk,
            )
        until(lambda: self._out.read_text() or self._ended, within_s=START_S)
        if not self._out.read_text():
            told = self.said + self.logs()
            self.stop()
            raise AssertionError(told)
        self.url = json.loads(self._out.read_text())["url"]
        return self

    @property
    def said(self) -> str:
        """What it told the person who started it."""
        return self._talk.read_text()

    @property
    def _out(self) -> Path:
        return self.home.with_suffix(".out")

    @property
    def _talk(self) -> Path:
        return self.home.with_suffix(".talk")

    @property
    def _ended(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def logs(self) -> str:
        """What its processes wrote down."""
        return "\n".join(
            f"== {path.name}\n{path.read_text()[-2000:]}" for path in sorted((self.home / "run").glob("*.log"))
        )

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """Stop it; return its exit code and how many seconds it took."""
        assert self.process is not None
        begin = time.monotonic()
        self.process.send_signal(number)
        code = self.process.wait(30)
        return code, time.monotonic() - begin

    def ask(self, token: str, path: str, body: Any, **headers: str) -> httpx.Response:
        """Ask the engine."""
        return httpx.post(
            f"http://127.0.0.1:{self.engine}{path}",
            json=body,
            headers={"Authorization": f"Bearer {token}", **headers},
            timeout=10.0,
        )

    def pids(self) -> list[int]:
        """Every process that works on its home."""
        found = []
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                try:
                    environ = (folder / "environ").read_bytes()
                except OSError:
                    continue
                if f"FAIRLEAD_HOME={self.home}\0".encode() in environ:
                    found.append(int(folder.name))
        return found


def make_copy(home: Path, settings: dict[str, str] | None = None) -> Copy:
    """Return a copy that was not started yet."""
    engine, _, control, dashboard = free_ports(4)
    return Copy(home=home, engine=engine, control=control, dashboard=dashboard, settings=settings or {})


@contextmanager
def running(home: Path, settings: dict[str, str] | None = None) -> Iterator[Copy]:
    """Run a copy with traffic, and stop it at the end unless a test did."""
    copy = make_copy(home, settings).start("--traffic-rate", "10")
    yield copy
    if copy.process is not None and copy.process.poll() is None:
        copy.stop()
