"""R7: control and the dashboard may go and come; no answer of the engine changes."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from benchmarks.installation import wait_ready
from storage.records.events import ITEM_STATS
from tests.chaos.callers import answers, asking, events, statuses
from tests.chaos.plants import Plant, planted

SUBJECTS = [f"u-{number}" for number in range(12)]
ROOMS = ("control", "dashboard")


@contextlib.contextmanager
def rooms(plant: Plant) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Run control and the dashboard as processes of their own; leave none behind."""
    environ = {**os.environ, **plant.settings.environ}
    started = []
    try:
        for room in ROOMS:
            command = [sys.executable, "-m", "fairlead", room]
            with plant.settings.home.with_suffix(f".{room}").open("ab") as talk:
                started.append(subprocess.Popen(command, env=environ, stdout=talk, stderr=talk))
        for child, port in zip(started, (plant.settings.control_port, plant.settings.dashboard_port), strict=True):
            wait_ready(f"http://127.0.0.1:{port}/" + ("healthz" if child is started[0] else ""), child)
        yield started
    finally:
        for child in started:
            child.kill()
            child.wait()


def told(client: httpx.Client) -> list[dict[str, Any]]:
    """Ask for the same decisions and return the answers without what is new in each: its id."""
    found = []
    for number, subject in enumerate(SUBJECTS):
        context = {"mood": ("calm", "wild")[number % 2], "age": number}
        body = {"surface": "home", "campaign": "men", "subject": subject, "slots": 5, "context": context}
        for path, more in (("personalize", {}), ("rerank", {"candidates": ["item-7", "item-1", "item-3"]})):
            answer = client.post(f"/v1/{path}", json=body | more)
            assert answer.status_code == 200, answer.text
            found.append({key: value for key, value in answer.json().items() if key != "decision_id"})
    return found


def learned(plant: Plant) -> float:
    """Return how many clicks the epochs of item features hold: scores move with an epoch, and with nothing else."""
    rows: dict[str, list[float]] = {}
    for entry in plant.journal():
        if entry["kind"] == "epoch":
            rows |= entry["record"]["rows"]
    return sum(values[ITEM_STATS.index("clicks")] for values in rows.values())


def settled(plant: Plant, client: httpx.Client) -> list[dict[str, Any]]:
    """Teach the engine something, wait until an epoch holds all of it, so that no other comes, and return its
    answers."""
    for number, subject in enumerate(SUBJECTS):
        batch = events([f"{subject}-{n}" for n in range(number + 1)], subject=subject)
        batch = [event | {"item": f"item-{(number + place) % 5}"} for place, event in enumerate(batch)]
        assert client.post("/v1/events", json=batch).status_code == 202
    plant.until(lambda: learned(plant) == sum(range(len(SUBJECTS) + 1)))
    return told(client)


def served(answers: list[dict[str, Any]]) -> set[tuple[Any, ...]]:
    """Return by what answers were given, so that a lapse is told from a difference."""
    return {(answer["served_by"], answer["reason"], answer["revision"]) for answer in answers}


@pytest.mark.e2e
@pytest.mark.timeout(300)
def test_neither_control_nor_the_dashboard_is_missed(tmp_path: Path) -> None:
    with planted(tmp_path / "home") as plant, plant.client() as client:
        plant.start()
        with rooms(plant) as started:
            before = settled(plant, client)
            with asking(plant, SUBJECTS, callers=2) as askers:
                during = told(client)
                for child, how in zip(started, (signal.SIGKILL, signal.SIGTERM), strict=True):
                    child.send_signal(how)
                for child in started:
                    child.wait(30)
                asked = len(answers(askers))
                plant.until(lambda: len(answers(askers)) > asked + 200)
                after = told(client)
            given = answers(askers)
        assert client.post("/v1/events", json=events(["late"])).status_code == 202
        print(f"{len(before)} answers compared three times; {dict(statuses(given))} while they went")
        assert {answer["served_by"] for answer in before} == {"model"}
        assert served(before) == served(during) == served(after)
        assert len({str(answer["items"]) for answer in before}) > 1
        assert before == during == after
        assert statuses(given).keys() == {200}
        assert {(answer.served_by, answer.reason) for answer in given} == {("model", given[0].reason)}
        assert client.get("/readyz").json()["degraded"] == []
