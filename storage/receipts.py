"""Receipts: what each replica decides with, and how long changes took to reach it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import orjson
from sqlalchemy import delete
from sqlmodel import col, select

from storage.database import Read, Write
from storage.errors import Invalid
from storage.records.changes import Receipt
from storage.tables.control import PropagationRow, ReceiptRow

PropagationKind = Literal["policy", "consent"]

PROPAGATION_EDGES: Mapping[PropagationKind, tuple[float, ...]] = {
    "policy": (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0),
    "consent": (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 15.0, 60.0),
}
"""Upper bounds in seconds of the buckets of ``fairlead_policy_propagation_seconds`` and its consent twin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Propagation:
    """How many changes reached one boot of one replica within each bucket; one more count than edges."""

    replica: str
    boot_id: str
    kind: PropagationKind
    counts: tuple[int, ...]
    sum_s: float


def report(write: Write, receipt: Receipt) -> None:
    """Keep a replica's receipt; it replaces the one before."""
    write.merge(
        ReceiptRow(
            replica=receipt.replica,
            boot_id=receipt.boot_id,
            url=receipt.url,
            revision=receipt.revision,
            consent_epoch=receipt.consent_epoch,
            at=receipt.at,
            ready=receipt.ready,
            started_at=receipt.started_at,
            details=orjson.dumps(dict(receipt.details)).decode(),
        )
    )


def withdraw(write: Write, replica: str, boot_id: str) -> None:
    """Forget the receipt of a boot that stops on purpose, so that no acknowledgement waits for it."""
    write.execute(delete(ReceiptRow).where(col(ReceiptRow.replica) == replica, col(ReceiptRow.boot_id) == boot_id))


def receipts(read: Read) -> list[Receipt]:
    """Return the latest receipt of every replica, by name."""
    return [_receipt(row) for row in read.all(select(ReceiptRow).order_by(ReceiptRow.replica))]


def registered(read: Read, now: int, within_us: int) -> list[Receipt]:
    """Return the receipts of replicas that reported within ``within_us`` before ``now``."""
    statement = select(ReceiptRow).where(col(ReceiptRow.at) >= now - within_us).order_by(ReceiptRow.replica)
    return [_receipt(row) for row in read.all(statement)]


def add_propagation(
    write: Write, replica: str, boot_id: str, kind: PropagationKind, *, counts: Sequence[int], sum_s: float
) -> None:
    """Add to the histogram of one boot; ``counts`` follows ``PROPAGATION_EDGES[kind]``.

    Raises
    ------
    Invalid
        If ``counts`` does not have one entry per bucket.
    """
    if len(counts) != len(PROPAGATION_EDGES[kind]) + 1:
        raise Invalid(f"counts: {kind} has {len(PROPAGATION_EDGES[kind]) + 1} buckets")
    row = write.get(PropagationRow, (replica, boot_id, kind))
    if row is None:
        row = PropagationRow(replica=replica, boot_id=boot_id, kind=kind, counts="", sum_s=0.0)
    before = orjson.loads(row.counts) if row.counts else [0] * len(counts)
    row.counts = orjson.dumps([old + new for old, new in zip(before, counts, strict=True)]).decode()
    row.sum_s += sum_s
    write.add(row)


def propagation(read: Read) -> list[Propagation]:
    """Return every histogram, by replica, boot and kind."""
    order = (PropagationRow.replica, PropagationRow.boot_id, PropagationRow.kind)
    return [
        Propagation(
            replica=row.replica,
            boot_id=row.boot_id,
            kind="policy" if row.kind == "policy" else "consent",
            counts=tuple(orjson.loads(row.counts)),
            sum_s=row.sum_s,
        )
        for row in read.all(select(PropagationRow).order_by(*order))
    ]


def _receipt(row: ReceiptRow) -> Receipt:
    return Receipt(
        replica=row.replica,
        boot_id=row.boot_id,
        url=row.url,
        revision=row.revision,
        consent_epoch=row.consent_epoch,
        at=row.at,
        ready=row.ready,
        started_at=row.started_at,
        details=orjson.loads(row.details),
    )
