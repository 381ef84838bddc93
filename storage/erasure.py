"""What is left of a person in the database: found, deleted, and in the place of a decision its tombstone."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, text, update
from sqlmodel import col, or_, select

from storage.database import Database, Read, Write
from storage.keys import Keys
from storage.records.requests import Traces
from storage.signed import KEY, SIGNATURE, fingerprint, sign
from storage.tables import TABLES
from storage.tables.control import SaltRow
from storage.tables.observed import DeadLetterRow
from storage.tables.people import PersonChangeRow
from storage.tables.requests import OrderRow, TombstoneRow
from storage.upserts import upsert

COUNTER = "erasures"
"""The sequence that numbers what replicas have to do about subjects."""
HELD: Mapping[str, tuple[str, ...]] = {
    "consent_changes": ("subject",),
    "person_changes": ("subject", "account"),
    "restricted_subjects": ("subject",),
    "sensitive_attributes": ("subject",),
    "subject_salts": ("pseudonym",),
}
"""The columns that hold pseudonyms, by table. Commitments (``subject_requests``) and orders are no such column: the
first tell nothing, the second are emptied when they are done."""
_CHUNK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One order to every replica: ``erase`` some pseudonyms, or ``restate`` what one of them stated."""

    number: int
    at: int
    kind: str
    request_id: str
    subjects: tuple[str, ...]


def traces(read: Read, subject: str, lookup: str) -> Traces:
    """Return what finds a person: their pseudonym, those of the visitors that turned out to be them, all salts."""
    found, added = {subject: None}, [subject]
    while added:
        rows = read.all(
            select(PersonChangeRow.subject).where(
                PersonChangeRow.kind == "merged", col(PersonChangeRow.account).in_(added)
            )
        )
        added = [visitor for visitor in dict.fromkeys(rows) if visitor not in found]
        found |= dict.fromkeys(added)
    salts = read.all(select(SaltRow.lookup).where(col(SaltRow.pseudonym).in_(list(found))))
    return Traces(subjects=tuple(found), lookups=tuple(dict.fromkeys([lookup, *salts])))


def forget(write: Write, known: Traces) -> dict[str, int]:
    """Delete a person's rows; return how many went by table. On SQLite what is deleted is overwritten with zeros."""
    if write.dialect == "sqlite":
        write.execute(text("PRAGMA secure_delete=ON"))
    gone = {}
    for table in _tables(HELD):
        columns = [table.c[name] for name in HELD[table.name]]
        where = or_(*[column.in_(known.subjects) for column in columns])
        if table.name == "subject_salts":
            where = or_(where, table.c.lookup.in_(known.lookups))
        gone[table.name] = int(write.execute(delete(table).where(where)).rowcount)
    return gone


def _tables(names: Iterable[str]) -> list[Any]:
    return [row.__table__ for row in TABLES if row.__tablename__ in set(names)]  # type: ignore[attr-defined]  # set on every mapped class


def order(write: Write, kind: str, *, subjects: Sequence[str], request_id: str, at: int) -> int:
    """Tell every replica to do something about subjects; return the order's number."""
    number = write.next_number(COUNTER)
    write.add(OrderRow(number=number, at=at, kind=kind, request_id=request_id, subjects=",".join(subjects)))
    write.flush()
    return number


def orders(read: Read, after: int) -> list[Order]:
    """Return the orders above a number that are not done everywhere, in their order."""
    rows = read.all(
        select(OrderRow).where(col(OrderRow.number) > after, OrderRow.subjects != "").order_by(col(OrderRow.number))
    )
    return [
        Order(
            number=row.number,
            at=row.at,
            kind=row.kind,
            request_id=row.request_id,
            subjects=tuple(row.subjects.split(",")),
        )
        for row in rows
    ]


def close_orders(write: Write, request_id: str) -> None:
    """Let the orders of a request name nobody any more."""
    write.execute(update(OrderRow).where(col(OrderRow.request_id) == request_id).values(subjects=""))


def close_restated(write: Write, *, before: int) -> None:
    """Let orders to restate that are older than ``before`` name nobody any more."""
    old = (col(OrderRow.kind) == "restate", col(OrderRow.at) < before)
    write.execute(update(OrderRow).where(*old).values(subjects=""))


def bury(write: Write, keys: Keys, decision_ids: Iterable[str], *, at: int) -> int:
    """Put a signed tombstone in the place of each decision; return how many."""
    ids = sorted(set(decision_ids))
    for start in range(0, len(ids), _CHUNK):
        rows = [
            {"decision_id": one, "erased_at": at, "signature": sign(_epitaph(one, at), keys)[SIGNATURE]}
            for one in ids[start : start + _CHUNK]
            if write.get(TombstoneRow, one) is None
        ]
        upsert(write, TombstoneRow, rows)
    return len(ids)


def forget_letters(write: Write, decision_ids: Collection[str]) -> int:
    """Delete refused events that name one of some decisions; return how many."""
    named = [
        row
        for row in write.all(select(DeadLetterRow).where(col(DeadLetterRow.payload).contains("decision_id")))
        if any(one in row.payload for one in decision_ids)
    ]
    for row in named:
        write.delete(row)
    return len(named)


def tombstone(read: Read, decision_id: str, public_pem: bytes) -> Mapping[str, Any] | None:
    """Return the signed tombstone of an erased decision (``storage.signed.verified`` checks it), or None."""
    row = read.get(TombstoneRow, decision_id)
    if row is None:
        return None
    return {**_epitaph(decision_id, row.erased_at), KEY: fingerprint(public_pem), SIGNATURE: row.signature}


def _epitaph(decision_id: str, at: int) -> dict[str, Any]:
    return {"document": "decision.tombstone", "decision_id": decision_id, "erased_at": at}


def settle(database: Database, *, whole: bool = False) -> None:
    """See that what was deleted leaves the files: SQLite's write-ahead log is emptied, and with ``whole`` the file
    written anew; PostgreSQL gives the rows' room back (VACUUM)."""
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if database.engine.dialect.name == "sqlite":
            driver = connection.connection.driver_connection
            if whole:
                driver.execute("VACUUM")  # type: ignore[union-attr]  # a connection of sqlite3
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()  # type: ignore[union-attr]  # likewise
        else:
            connection.exec_driver_sql(f"VACUUM {', '.join([*HELD, 'subject_requests', 'subject_orders'])}")
