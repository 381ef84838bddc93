"""Who calls an engine while it suffers, and writes down every answer."""

import itertools
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from tests.chaos.plants import Plant

LOST = 0
"""Stands for the status of a call that was not answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One decision: when it was asked for, by the monotonic clock, and what came back."""

    asked_at: float
    seconds: float
    status: int
    served_by: str = ""
    reason: str = ""
    decision_id: str = ""


class Asker:
    """Asks for decisions, one after the other, from a thread of its own."""

    def __init__(self, plant: Plant, subjects: Sequence[str], *, pause_s: float = 0.02) -> None:
        self._plant = plant
        self._subjects = itertools.cycle(subjects)
        self._pause_s = pause_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._ask, name="asker")
        self.answers: list[Answer] = []

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._ended.set()
        self._thread.join(30)

    def _ask(self) -> None:
        with self._plant.client() as client:
            while not self._ended.wait(self._pause_s):
                self.answers.append(ask(client, next(self._subjects)))


def ask(client: httpx.Client, subject: str, **more: Any) -> Answer:
    """Ask for one decision."""
    begun = time.monotonic()
    try:
        answer = client.post("/v1/personalize", json={"surface": "home", "subject": subject, **more})
    except httpx.TransportError:
        return Answer(asked_at=begun, seconds=time.monotonic() - begun, status=LOST)
    seconds = time.monotonic() - begun
    if answer.status_code != 200:
        return Answer(asked_at=begun, seconds=seconds, status=answer.status_code)
    told = answer.json()
    return Answer(
        asked_at=begun,
        seconds=seconds,
        status=200,
        served_by=told["served_by"],
        reason=told["reason"],
        decision_id=told["decision_id"],
    )


@contextmanager
def asking(plant: Plant, subjects: Sequence[str], *, callers: int = 4, pause_s: float = 0.02) -> Iterator[list[Asker]]:
    """Have several ask until the block ends."""
    with ExitStack() as stack:
        askers = [Asker(plant, subjects, pause_s=pause_s) for _ in range(callers)]
        for asker in askers:
            asker.start()
            stack.callback(asker.end)
        yield askers


def answers(askers: Sequence[Asker]) -> list[Answer]:
    """Return everybody's answers in the order of asking."""
    return sorted((answer for asker in askers for answer in asker.answers), key=lambda answer: answer.asked_at)


def statuses(given: Sequence[Answer]) -> Counter[int]:
    """Count answers by status."""
    return Counter(answer.status for answer in given)


def events(ids: Sequence[str], *, subject: str = "u-1", **more: Any) -> list[dict[str, Any]]:
    """Return clicks with these ids."""
    return [{"type": "click", "event_id": each, "item": "item-1", "subject": subject, **more} for each in ids]
