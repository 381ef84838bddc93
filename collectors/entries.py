"""Reading a journal's answer: which log speaks, and its entries in order, each decoded or put aside."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pyarrow as pa

from collectors.client import Failure
from storage.lake import Lake, LakeFile
from storage.parquet import Kind, table
from storage.records import wire
from storage.records.decisions import Decision
from storage.records.events import DeadLetter, Entry, Event, ItemEpoch

UNREADABLE = "FL-2001"
_SHOWN = 4_096
_LONGEST_NAME = 64
_LARGEST = 1 << 60
_LAKE: dict[str, tuple[Kind, type[Any]]] = {
    "decision": ("decisions", Decision),
    "event": ("events", Event),
    "epoch": ("epochs", ItemEpoch),
}
_FOREIGN = (pa.ArrowException, msgspec.MsgspecError, OverflowError, TypeError, ValueError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One answer of ``/v1/journal``."""

    replica: str
    log: str
    head: int
    entries: tuple[Entry, ...]


def read_page(body: bytes, after: int) -> Page | Failure:
    """Read an answer; numbers that do not grow from ``after`` on make it unfit as a whole."""
    try:
        document = msgspec.msgpack.decode(body)
        replica, log, head = document["replica"], document["log"], document["head"]
        entries = tuple(
            Entry(seq=seq, kind=kind, at=at, payload=payload) for seq, kind, at, payload in document["entries"]
        )
    except (msgspec.MsgspecError, UnicodeDecodeError, KeyError, TypeError, ValueError, RecursionError):
        return Failure(result="parse", detail="the answer is not a page of a journal")
    if not (_named(replica) and _named(log) and _whole(head)):
        return Failure(result="parse", detail="the answer does not say who speaks")
    last = after
    for entry in entries:
        shaped = _whole(entry.seq) and isinstance(entry.at, int) and isinstance(entry.payload, bytes)
        if not shaped or entry.seq <= last:
            return Failure(result="parse", detail="the entries are not in order")
        last = entry.seq
    return Page(replica=replica, log=log, head=head, entries=entries)


def _named(value: object) -> bool:
    """Tell whether a name can be part of a file's name, however it is quoted."""
    return isinstance(value, str) and value.isascii() and value.isprintable() and 0 < len(value) <= _LONGEST_NAME


def _whole(value: object) -> bool:
    return isinstance(value, int) and 0 <= value < _LARGEST


@dataclass(slots=True)
class Sorted:
    """Entries by where they go: records with their numbers by kind, and dead letters."""

    records: dict[Kind, list[tuple[int, Any]]] = field(default_factory=dict)
    dead: list[tuple[int, DeadLetter]] = field(default_factory=list)

    def decision_ids(self) -> set[str]:
        """Return every decision that is new or that a new event names."""
        made = {record.decision_id for _, record in self.records.get("decisions", [])}
        return made | {record.decision_id for _, record in self.records.get("events", []) if record.decision_id}

    def unnamed(self) -> list[Event]:
        """Return the events that name no decision."""
        return [record for _, record in self.records.get("events", []) if not record.decision_id]

    def stage(self, lake: Lake, *, replica: str, log: str, from_seq: int, to_seq: int) -> list[LakeFile]:
        """Write one file per kind."""
        staged = []
        for kind, pairs in sorted(self.records.items()):
            origins = {getattr(record, "origin", "live") for _, record in pairs}
            staged.append(
                lake.stage(
                    kind,
                    replica=replica,
                    log=log,
                    from_seq=from_seq,
                    to_seq=to_seq,
                    origin=origins.pop() if len(origins) == 1 else "mixed",
                    records=[record for _, record in pairs],
                    seqs=[seq for seq, _ in pairs],
                )
            )
        return staged


def sort_entries(entries: Sequence[Entry], *, replica: str, log: str) -> Sorted:
    """Decode entries; one that cannot be read, or that no column can hold, becomes a dead letter and stops nothing, and
    what was erased comes to nothing."""
    found = Sorted()
    for entry in entries:
        if entry.kind == "erased":
            continue
        try:
            if entry.kind == "dead_letter":
                found.dead.append((entry.seq, wire.decode(DeadLetter, entry.payload)))
                continue
            kind, cls = _LAKE[entry.kind]
            found.records.setdefault(kind, []).append((entry.seq, wire.decode(cls, entry.payload)))
        except (KeyError, *_FOREIGN):
            found.dead.append((entry.seq, _letter(entry)))
    by_seq = {entry.seq: entry for entry in entries}
    for kind in list(found.records):
        if not _fits(kind, found.records[kind], replica, log):
            good = [pair for pair in found.records[kind] if _fits(kind, [pair], replica, log)]
            kept = {seq for seq, _ in good}
            found.dead += [(seq, _letter(by_seq[seq])) for seq, _ in found.records[kind] if seq not in kept]
            found.records[kind] = good
            if not good:
                del found.records[kind]
    return found


def _fits(kind: Kind, pairs: Sequence[tuple[int, Any]], replica: str, log: str) -> bool:
    try:
        table(kind, [record for _, record in pairs], replica=replica, log=log, seqs=[seq for seq, _ in pairs])
    except _FOREIGN:
        return False
    return all(_whole(record.at) for _, record in pairs)


def _letter(entry: Entry) -> DeadLetter:
    return DeadLetter(
        event_id=None,
        received_at=min(max(entry.at, 0), _LARGEST),
        code=UNREADABLE,
        field=str(entry.kind)[:100],
        reason="the entry cannot be read as what it says it is",
        payload=entry.payload[:_SHOWN].hex()[:_SHOWN],
    )
