"""A replica's journal for tests: records in order, served in pages as ``/v1/journal`` serves them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec

from collectors.client import Client, Failure
from collectors.targets import Target
from storage.records import wire
from storage.records.clock import SECOND
from storage.records.decisions import Decision
from storage.records.events import DeadLetter, Event, ItemEpoch

NOON = 1_700_049_600 * SECOND // (900 * SECOND) * 900 * SECOND
_KINDS = {Decision: "decision", Event: "event", ItemEpoch: "epoch", DeadLetter: "dead_letter"}


def decision_id(at: int, number: int) -> str:
    return str(UUID(int=(at // 1_000) << 80 | 0x7 << 76 | 0x8 << 60 | number))


def decision(at: int, number: int, **fields: Any) -> Decision:
    about: dict[str, Any] = {
        "decision_id": decision_id(at, number),
        "at": at,
        "replica": "r0",
        "subject": None,
        "session": None,
        "sequence": 0,
        "surface": "home",
        "campaign": "men",
        "slots": 2,
        "revision": 1,
        "consent_epoch": 1,
        "policy": "home",
        "version": 1,
        "bucket": 0.5,
        "served_by": "model",
        "reason": "ok",
        "items": ("a", "b"),
        "propensity": (0.5, 0.5),
    }
    return Decision(**about | fields)


def event(made: Decision | None, type_: str, at: int, *, item: str = "a", event_id: str = "", **fields: Any) -> Event:
    name = made.decision_id if made else None
    about: dict[str, Any] = {
        "event_id": event_id or f"{name}-{type_}-{item}-{at}",
        "type": type_,
        "at": at,
        "received_at": at,
        "item": item,
        "surface": "home",
        "campaign": made.campaign if made else "men",
        "decision_id": name,
    }
    return Event(**about | fields)


@dataclass
class Journal:
    """One log; entries are (seq, kind, at, payload)."""

    replica: str = "r0"
    log: str = "log-0"
    entries: list[list[Any]] = field(default_factory=list)
    head: int = 0

    def write(self, *records: Any) -> None:
        for record in records:
            at = getattr(record, "at", 0) or getattr(record, "received_at", 0)
            self.put(_KINDS[type(record)], at, wire.encode(record))

    def put(self, kind: str, at: int, payload: bytes) -> None:
        self.head += 1
        self.entries.append([self.head, kind, at, payload])

    def answer(self, after: int, limit: int) -> bytes:
        rows = [entry for entry in self.entries if entry[0] > after][:limit]
        document = {"replica": self.replica, "log": self.log, "boot_id": "b", "head": self.head, "entries": rows}
        return msgspec.msgpack.encode(document)


class Pages(Client):
    """A client whose wire ends in the journals of this process."""

    def __init__(self, journals: Mapping[str, Journal]) -> None:
        super().__init__("token")
        self.journals = journals

    def get(self, url: str, *, params: Mapping[str, str | int], accept: str) -> bytes | Failure:
        assert accept == "application/x-msgpack"
        journal = self.journals[url.removesuffix("/v1/journal")]
        return journal.answer(int(params["after"]), int(params["limit"]))


def target(journal: Journal) -> Target:
    return Target(replica=journal.replica, url=journal.replica)
