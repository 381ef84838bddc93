"""R56: a disk that fills up under an engine, files that may grow no further, and a home that cannot be written."""

import contextlib
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.chaos.accounts import holes, settle
from tests.chaos.callers import ask, events
from tests.chaos.plants import Plant, planted

BATCH, MOST_BATCHES = 200, 2_000
SUBJECTS = [f"u-{number}" for number in range(5)]
ROOM = 1 << 20
DISK = 64 << 20
OWN_MOUNTS = ("unshare", "--user", "--map-root-user", "--mount")
LIMITED = "import os, resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), -1)); "
LIMITED += "os.execv(sys.argv[2], sys.argv[2:])"
SMALL_DISK = f"""
mount -t tmpfs -o size={DISK} tmpfs "$1.disk" && cp -a "$1/." "$1.disk/" && mount --bind "$1.disk" "$1" || exit 99
shift; exec "$@"
"""
READ_ONLY = """
mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" || exit 99
shift; exec "$@"
"""


def require_own_mounts() -> None:
    """Skip, aloud, where the kernel gives a process no mounts of its own; the limited files are tried everywhere."""
    try:
        subprocess.run([*OWN_MOUNTS, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this machine gives a process no mounts of its own (unshare --user --map-root-user --mount)")


@dataclass(frozen=True, kw_only=True)
class Disk:
    """How an engine's disk gets full, and how room is made again."""

    fill: Callable[[], None]
    make_room: Callable[[], None]


@contextlib.contextmanager
def small_disk(plant: Plant) -> Iterator[Disk]:
    """Give the engine a disk of its own, which a big file fills."""
    require_own_mounts()
    home = plant.settings.home
    home.with_name(f"{home.name}.disk").mkdir()
    plant.start(wrap=(*OWN_MOUNTS, "sh", "-c", SMALL_DISK, "sh", str(home)))
    assert plant.child is not None
    big = Path(f"/proc/{plant.child.pid}/root{home}/big")

    def fill() -> None:
        with contextlib.suppress(OSError), big.open("wb", buffering=0) as file:
            for size in (1 << 16, 1 << 12):
                with contextlib.suppress(OSError):
                    while file.write(bytes(size)):
                        pass

    yield Disk(fill=fill, make_room=big.unlink)


@contextlib.contextmanager
def short_files(plant: Plant) -> Iterator[Disk]:
    """Let no file of the engine grow much beyond the largest one of now: a quota."""
    largest = max(path.stat().st_size for path in plant.settings.home.rglob("*") if path.is_file())
    plant.start(wrap=(sys.executable, "-c", LIMITED, str(largest + ROOM)))
    assert plant.child is not None
    pid = plant.child.pid
    free = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    yield Disk(fill=lambda: None, make_room=lambda: resource.prlimit(pid, resource.RLIMIT_FSIZE, free) and None)


def send(client: httpx.Client, number: int, sent: list[str]) -> tuple[list[str], httpx.Response]:
    ids = [f"e-{number}-{place}" for place in range(BATCH)]
    sent += ids
    return ids, client.post("/v1/events", json=events(ids))


@pytest.mark.e2e
@pytest.mark.parametrize("disk", [small_disk, short_files])
def test_a_full_disk_refuses_events_loses_none_and_stops_no_decision(tmp_path: Path, disk) -> None:
    sent: list[str] = []
    acknowledged: list[str] = []
    with planted(tmp_path / "home") as plant, disk(plant) as given, plant.client() as client:
        ids, answer = send(client, 0, sent)
        assert answer.status_code == 202
        acknowledged += ids
        assert {ask(client, subject).served_by for subject in SUBJECTS} == {"model"}
        given.fill()
        for number in range(1, MOST_BATCHES):
            ids, answer = send(client, number, sent)
            if answer.status_code != 202:
                break
            acknowledged += ids
        taken = len(acknowledged)
        assert answer.status_code == 503, "the disk never got full"
        assert int(answer.headers["retry-after"]) >= 1
        assert "Nothing was stored" in answer.json()["detail"]
        decided = [ask(client, SUBJECTS[place % len(SUBJECTS)]) for place in range(100)]
        stranger = ask(client, "nobody-saw-me-before")
        assert {(each.status, each.served_by) for each in decided} == {(200, "model")}
        assert stranger.status == 200
        assert send(client, MOST_BATCHES, sent)[1].status_code == 503
        assert "audit" in client.get("/readyz").json()["degraded"]
        assert plant.counter("fairlead_http_requests_total", route="/v1/personalize", status_class="5xx") == 0
        given.make_room()
        plant.until(lambda: send(client, MOST_BATCHES + 1, sent)[1].status_code == 202)
        acknowledged += [f"e-{MOST_BATCHES + 1}-{place}" for place in range(BATCH)]
        decisions = {each.decision_id for each in decided}
        plant.until(lambda: decisions <= recorded(plant))
        journal = plant.journal()
        stored = [entry["record"]["event_id"] for entry in journal if entry["kind"] == "event"]
        account = settle(sent=sent, acknowledged=acknowledged, stored=stored)
        print(
            f"{disk.__name__}: full after {taken} events; {account.acknowledged} acknowledged, {account.stored} stored,"
        )
        print(
            f"{len(account.lost)} lost, {len(account.twice)} twice; {len(decided)} decisions meanwhile, all recorded;"
        )
        print(f"a stranger was served by {stranger.served_by} ({stranger.reason})")
        assert account.balanced, account
        assert holes(entry["seq"] for entry in journal) == ()
        assert plant.stop() == 0
        assert "Traceback" not in plant.said


def recorded(plant: Plant) -> set[str]:
    return {entry["record"]["decision_id"] for entry in plant.journal() if entry["kind"] == "decision"}


@pytest.mark.e2e
def test_a_home_that_cannot_be_written_ends_in_a_clear_message_and_nothing_is_lost(tmp_path: Path) -> None:
    require_own_mounts()
    sent: list[str] = []
    with planted(tmp_path / "home") as plant:
        plant.start()
        with plant.client() as client:
            ids, answer = send(client, 0, sent)
            assert answer.status_code == 202
        plant.kill()
        home = plant.settings.home
        plant.start(wrap=(*OWN_MOUNTS, "sh", "-c", READ_ONLY, "sh", str(home)), ready=False)
        assert plant.child is not None
        code = plant.child.wait(60)
        print(f"exit {code}: {plant.said.strip()[-300:]}")
        assert code == 6
        assert "Traceback" not in plant.said
        assert str(home) in plant.said
        assert "FAIRLEAD_HOME" in plant.said
        plant.start()
        stored = [entry["record"]["event_id"] for entry in plant.journal() if entry["kind"] == "event"]
        assert settle(sent=sent, acknowledged=ids, stored=stored).balanced


@pytest.mark.e2e
def test_a_home_on_a_full_disk_ends_in_a_clear_message(tmp_path: Path) -> None:
    require_own_mounts()
    script = SMALL_DISK.replace("|| exit 99", '|| exit 99\ncat /dev/zero > "$1/big" 2>/dev/null')
    with planted(tmp_path / "home") as plant:
        home = plant.settings.home
        home.with_name(f"{home.name}.disk").mkdir()
        plant.start(wrap=(*OWN_MOUNTS, "sh", "-c", script, "sh", str(home)), ready=False)
        assert plant.child is not None
        code = plant.child.wait(60)
        print(f"exit {code}: {plant.said.strip()[-300:]}")
        assert code == 6
        assert "Traceback" not in plant.said
        assert "room" in plant.said
        assert str(home) in plant.said
