"""A small installation that control itself made, and its engine as a process that can be killed, hung and starved."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from benchmarks.installation import free_port
from fairlead.settings import Settings
from fairlead.wiring import control_of, open_store
from governance.preset import Preset, PresetPolicy
from governance.warrants import Warrant, system
from storage import catalogue
from storage.records import clock
from storage.records.policies import Policy
from tests.scoring_core.edges.running import INSTALLATION, POLICY, SNAPSHOT, items

SCOPES = ("decide", "events:write", "journal:read", "metrics:read", "decision:read")
START_S = 60.0


@dataclass
class Plant:
    """One engine over its own home. ``said`` is what it wrote on stderr, over all its lives."""

    settings: Settings
    token: str
    environ: Mapping[str, str] = field(default_factory=dict)
    child: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return self.settings.engine_url()

    @property
    def said(self) -> str:
        return self._log.read_text("utf-8", "replace") if self._log.exists() else ""

    @property
    def _log(self) -> Path:
        return self.settings.home.with_suffix(".stderr")

    def start(self, *, wrap: Sequence[str] = (), ready: bool = True) -> float:
        """Start the engine; return the seconds until it was ready."""
        begun = time.monotonic()
        with self._log.open("ab") as log:
            self.child = subprocess.Popen(
                [*wrap, sys.executable, "-m", "fairlead", "engine"],
                env={**os.environ, **self.settings.environ, **self.environ, "OMP_NUM_THREADS": "1"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        if ready:
            self.until(self.ready, within_s=START_S)
        return time.monotonic() - begun

    def ready(self) -> bool:
        assert self.child is not None
        assert self.child.poll() is None, f"the engine ended with {self.child.returncode}\n{self.said[-3_000:]}"
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{self.url}/readyz", timeout=2.0).status_code == 200
        return False

    def until(self, holds: Callable[[], Any], *, within_s: float = 30.0) -> Any:
        end = time.monotonic() + within_s
        while time.monotonic() < end:
            if found := holds():
                return found
            time.sleep(0.02)
        raise AssertionError(f"it did not happen in {within_s:.0f} s\n{self.said[-3_000:]}")

    def kill(self) -> None:
        """End the engine as a power cut of the process would."""
        assert self.child is not None
        self.child.send_signal(signal.SIGKILL)
        self.child.wait()

    def stop(self) -> int:
        """Ask the engine to end; return its exit code."""
        assert self.child is not None
        self.child.send_signal(signal.SIGTERM)
        return self.child.wait(30)

    def close(self) -> None:
        """Leave no process behind."""
        if self.child is not None and self.child.poll() is None:
            self.child.send_signal(signal.SIGCONT)
            self.kill()

    def client(self, *, timeout: float = 10.0) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers={"authorization": f"Bearer {self.token}"}, timeout=timeout)

    def journal(self) -> list[dict[str, Any]]:
        """Read the whole journal, as a collector would."""
        entries: list[dict[str, Any]] = []
        with self.client(timeout=30.0) as client:
            while True:
                after = entries[-1]["seq"] if entries else 0
                page = client.get("/v1/journal", params={"after": after, "limit": 10_000})
                assert page.status_code == 200, page.text
                if not (found := page.json()["entries"]):
                    return entries
                entries += found

    def counter(self, name: str, **labels: str) -> float:
        """Sum the samples of a metric that carry these labels."""
        with self.client() as client:
            text = client.get("/metrics").text
        return sum(
            float(line.rsplit(" ", 1)[1])
            for line in text.splitlines()
            if line.startswith((f"{name}{{", f"{name} "))
            if all(f'{key}="{value}"' in line for key, value in labels.items())
        )


def plant(home: Path, *, policy: Policy = POLICY, **more: Any) -> Plant:
    """Install a dozen items, one surface, one campaign and one policy."""
    ports = {f"{room}_port": free_port() for room in ("engine", "control", "dashboard")}
    settings = Settings(home=home, solo=True, **ports, **more)
    store = open_store(settings)
    control = control_of(settings, store)
    with store.database.write() as write:
        catalogue.upsert(write, items(), now=clock.now())
    men = SNAPSHOT.campaigns["men"]
    control.bootstrap(
        home,
        Preset(
            name="chaos",
            installation=INSTALLATION,
            campaigns=(men,),
            policies=(PresetPolicy(key="home", surface="home", versions=(policy,)),),
        ),
    )
    minted = control.mint(
        name="chaos",
        principal="chaos",
        role="service",
        scopes=SCOPES,
        expires_in_s=None,
        warrant=Warrant(by=system("chaos"), reason="an engine to be broken"),
    )
    store.database.close()
    return Plant(settings=settings, token=minted.token)


@contextlib.contextmanager
def planted(home: Path, **more: Any) -> Iterator[Plant]:
    """Install, and leave no process behind."""
    made = plant(home, **more)
    try:
        yield made
    finally:
        made.close()
