"""Child processes under a supervisor: started, watched, restarted, stopped together."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from storage.errors import FairleadError, Unavailable

BACKOFF_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
STEADY_S = 30.0
"""A child that lived so long starts again at once, and its earlier failures are forgotten."""
KEPT_LOG = 16 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """One child: its name, the arguments of ``fairlead`` that run it, and the URL that answers 200 once it is ready."""

    name: str
    arguments: Sequence[str]
    ready: str | None = None
    stop_first: bool = False


@dataclass(slots=True)
class Child:
    """One child and how it fared."""

    spec: Spec
    log: Path
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    failures: int = 0
    restarts: int = 0
    due: float = field(default=0.0)

    @property
    def alive(self) -> bool:
        """Tell whether its process runs."""
        return self.process is not None and self.process.poll() is None

    def last_words(self, lines: int = 12) -> str:
        """Return the end of its log."""
        with contextlib.suppress(OSError), self.log.open("rb") as file:
            file.seek(max(0, self.log.stat().st_size - 8_000))
            return "\n".join(file.read().decode("utf-8", "replace").strip().splitlines()[-lines:])
        return ""


class Children:
    """Processes that live and die together.

    Each runs in a process group of its own, so that Ctrl-C reaches the supervisor alone, and holds the reading end
    of a pipe: when the supervisor is gone, however it went, the pipe closes and they stop.

    Parameters
    ----------
    specs
        What to run.
    environ
        Their environment.
    folder
        Where their logs go, one file a child, the one before it kept.
    say
        Where to talk.
    program
        What the arguments of a spec are given to; ``fairlead`` itself.
    """

    def __init__(
        self,
        specs: Sequence[Spec],
        *,
        environ: Mapping[str, str],
        folder: Path,
        say: Callable[[str], None],
        program: Sequence[str] = (sys.executable, "-m", "fairlead"),
    ) -> None:
        self._program = tuple(program)
        self._environ = dict(environ)
        self._say = say
        self._read_end, self._write_end = os.pipe()
        folder.mkdir(parents=True, exist_ok=True)
        self.all = {spec.name: Child(spec, folder / f"{spec.name}.log") for spec in specs}
        self._http = httpx.Client(timeout=2.0, trust_env=False)

    def start(self, *names: str) -> None:
        """Start the named children, or all."""
        for name in names or tuple(self.all):
            self._start(self.all[name])

    def _start(self, child: Child) -> None:
        if child.log.exists() and (child.started == 0.0 or child.log.stat().st_size > KEPT_LOG):
            child.log.replace(child.log.with_suffix(".log.1"))
        with child.log.open("ab") as log:
            child.process = subprocess.Popen(  # noqa: S603  # our own command
                [*self._program, *child.spec.arguments, "--lifeline", str(self._read_end)],
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(self._read_end,),
                process_group=0,
            )
        child.started = time.monotonic()

    def answers(self, child: Child) -> bool:
        """Tell whether a child is ready; one without a URL is, while it lives."""
        if not child.alive or child.spec.ready is None:
            return child.alive
        try:
            return self._http.get(child.spec.ready).status_code == 200
        except httpx.HTTPError:
            return False

    def wait_ready(self, *names: str, stop: threading.Event, within_s: float = 120.0) -> None:
        """Wait until the named children, or all, are ready.

        Raises
        ------
        FairleadError
            With its last words, when a child ends before it is ready.
        Unavailable
            When one is not ready in time.
        """
        deadline = time.monotonic() + within_s
        waiting = [self.all[name] for name in names or tuple(self.all)]
        while waiting and not stop.is_set():
            for child in waiting:
                if not child.alive:
                    code = None if child.process is None else child.process.returncode
                    words = child.last_words()
                    raise FairleadError(
                        f"{child.spec.name} ended with {code} before it was ready ({child.log}):\n{words}"
                    )
            waiting = [child for child in waiting if not self.answers(child)]
            if waiting and time.monotonic() > deadline:
                late = ", ".join(child.spec.name for child in waiting)
                raise Unavailable(f"{late}: not ready after {within_s:g} s; see {waiting[0].log}")
            if waiting:
                stop.wait(0.1)

    def mend(self) -> None:
        """Restart children that ended by themselves, each later than before while it keeps failing."""
        at = time.monotonic()
        for child in self.all.values():
            if child.started == 0.0 or child.alive:
                continue
            if child.due == 0.0:
                child.failures = 0 if at - child.started > STEADY_S else child.failures + 1
                pause = BACKOFF_S[min(child.failures, len(BACKOFF_S) - 1)] if child.failures else 0.0
                child.due = at + pause
                code = child.process.returncode if child.process else None
                self._say(f"{child.spec.name} ended with {code}; it starts again in {pause:g} s (log: {child.log})")
            if at >= child.due:
                child.due = 0.0
                child.restarts += 1
                self._start(child)

    def stop(self, *, within_s: float = 9.0) -> list[str]:
        """Ask all to stop, wait, end what is left by force; return the names of those that had to be."""
        deadline = time.monotonic() + within_s
        early = [child for child in self.all.values() if child.spec.stop_first]
        self._ask(early)
        self._wait(early, min(deadline, time.monotonic() + 1.5))
        everyone = list(self.all.values())
        self._ask([child for child in everyone if child not in early])
        self._wait(everyone, deadline)
        forced = [child for child in everyone if child.alive]
        for child in forced:
            self._signal(child, signal.SIGKILL)
        self._wait(forced, time.monotonic() + 2.0)
        for end in (self._read_end, self._write_end):
            with contextlib.suppress(OSError):
                os.close(end)
        self._http.close()
        return [child.spec.name for child in forced]

    def _ask(self, children: Sequence[Child]) -> None:
        for child in children:
            self._signal(child, signal.SIGTERM)

    @staticmethod
    def _signal(child: Child, number: signal.Signals) -> None:
        if child.process is not None and child.alive:
            with contextlib.suppress(ProcessLookupError):
                child.process.send_signal(number)

    @staticmethod
    def _wait(children: Sequence[Child], deadline: float) -> None:
        while any(child.alive for child in children) and time.monotonic() < deadline:
            time.sleep(0.02)
