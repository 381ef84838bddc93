"""Which servers are compared, how each is started, with which settings, and the processor time of all its processes."""

import contextlib
import json
import os
import signal
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.installation import free_port, wait_ready
from benchmarks.peers.environments import Unavailable, last_words
from benchmarks.peers.ranking import FOLDER
from benchmarks.peers.work import plain, protocol

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Setting:
    """One way to run a peer, and the form and path of its requests."""

    name: str
    environment: Mapping[str, str]
    path: str = "/rank"
    form: Callable[[Mapping[str, object]], dict[str, object]] = plain


@dataclass(frozen=True)
class Peer:
    """A model server: its command, the path that says it is ready, and the settings that are tried."""

    name: str
    command: Callable[[Path, Path, int, Setting], list[str]]
    ready: str
    settings: tuple[Setting, ...]


def _mlserver(programs: Path, folder: Path, port: int, setting: Setting) -> list[str]:
    """Write MLServer's two files; access log, metrics and compression are off, as they only cost."""
    home = folder / "mlserver"
    home.mkdir(exist_ok=True)
    server = {
        "debug": False,
        "host": "127.0.0.1",
        "http_port": port,
        "grpc_port": port + 1,
        "metrics_port": port + 2,
        "metrics_endpoint": None,
        "gzip_enabled": False,
        "parallel_workers": int(setting.environment["FAIRLEAD_PEER_WORKERS"]),
    }
    (home / "settings.json").write_text(json.dumps(server))
    (home / "model-settings.json").write_text(
        json.dumps({"name": "ranker", "implementation": "mlserver_handler.Ranker"})
    )
    return [str(programs / "mlserver"), "start", str(home)]


def _bentoml(programs: Path, _folder: Path, port: int, _setting: Setting) -> list[str]:
    where = ["--host", "127.0.0.1", "--port", str(port), "--working-dir", str(HERE)]
    return [str(programs / "bentoml"), "serve", "bentoml_handler:Ranker", *where]


def _litserve(programs: Path, _folder: Path, _port: int, _setting: Setting) -> list[str]:
    return [str(programs / "python"), str(HERE / "litserve_handler.py")]


def _workers(count: int, **more: str) -> dict[str, str]:
    return {"FAIRLEAD_PEER_WORKERS": str(count), **more}


INFER = "/v2/models/ranker/infer"
PEERS = (
    Peer(
        "mlserver",
        _mlserver,
        "/v2/models/ranker/ready",
        (
            Setting("no worker process, inference protocol", _workers(0), INFER, protocol),
            Setting("no worker process, custom route", _workers(0)),
            Setting("1 worker process, inference protocol", _workers(1), INFER, protocol),
            Setting("1 worker process, custom route", _workers(1)),
        ),
    ),
    Peer(
        "bentoml",
        _bentoml,
        "/readyz",
        (Setting("1 worker", _workers(1)), Setting("2 workers", _workers(2))),
    ),
    Peer(
        "litserve",
        _litserve,
        "/health",
        (
            Setting("1 worker", _workers(1, FAIRLEAD_PEER_QUEUE="plain")),
            Setting("1 worker, fast queue", _workers(1, FAIRLEAD_PEER_QUEUE="fast")),
            Setting("2 workers", _workers(2, FAIRLEAD_PEER_QUEUE="plain")),
        ),
    ),
)


@dataclass
class Served:
    """A running server under load: its first process and its port."""

    pid: int
    port: int
    requests: list[bytes] = field(default_factory=list)


@contextlib.contextmanager
def served(peer: Peer, setting: Setting, programs: Path, folder: Path, *, core: int) -> Iterator[Served]:
    """Run a peer with all its processes on one core until the block ends; it is ready when this yields.

    Raises
    ------
    Unavailable
        If it ends or stays silent; the words are the last of its own.
    """
    port = free_port(3)
    environment = {
        **os.environ,
        **setting.environment,
        FOLDER: str(folder),
        "FAIRLEAD_PEER_PORT": str(port),
        "PYTHONPATH": str(HERE),
        "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', '')}",
        "OMP_NUM_THREADS": "1",
        "BENTOML_HOME": str(folder / "bentoml"),
        "BENTOML_DO_NOT_TRACK": "True",
        "DO_NOT_TRACK": "1",
    }
    said = folder / f"{peer.name}.log"
    with said.open("wb") as output:
        own = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {core})  # inherited by everything the peer starts
        child = subprocess.Popen(
            peer.command(programs, folder, port, setting),
            env=environment,
            cwd=folder,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        os.sched_setaffinity(0, own)
    try:
        try:
            wait_ready(f"http://127.0.0.1:{port}{peer.ready}", child)
        except RuntimeError as error:
            words = last_words(said.read_text(errors="replace"))
            raise Unavailable(f"{peer.name} with {setting.name} does not start here: {error}; {words}") from error
        yield Served(child.pid, port)
    finally:
        child.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(15)
        with contextlib.suppress(ProcessLookupError):  # workers that outlived their parent
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def tree_seconds(pid: int) -> float:
    """Return user plus system time of a process, its living descendants and their ended children, in seconds."""
    children: dict[int, list[int]] = defaultdict(list)
    ticks: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rsplit(")", 1)[1].split()
            process = int(stat.parent.name)
            children[int(fields[1])].append(process)
            ticks[process] = sum(int(value) for value in fields[11:15])
    family, total = [pid], 0
    while family:
        member = family.pop()
        total += ticks.get(member, 0)
        family += children[member]
    return total / os.sysconf("SC_CLK_TCK")
