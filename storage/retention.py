"""Deleting what is past its time: rows of the lake, counts, refused events, answered requests."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func
from sqlmodel import col, delete, select

from storage import subject_requests
from storage.database import Database, Write
from storage.lake import Lake
from storage.records.clock import DAY
from storage.records.retention import Retention
from storage.rewriting import older_than, rewrite
from storage.tables.observed import CellRow, DeadLetterRow, LakeFileRow
from storage.tables.requests import OrderRow, SubjectRequestRow

IMPORTED = "imported"
EPOCHS_LONGER = DAY
"""Item epochs are kept a day longer, so that the first decisions of the oldest day still find theirs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retained:
    """What went, by kind, and how large the lake's files in the manifest are now; ``oldest`` is the first instant of
    which rows are kept."""

    gone: Mapping[str, int]
    bytes: int
    oldest: int


def expire(lake: Lake, database: Database, *, now: int, keep: Retention, max_bytes: int) -> Retained:
    """Delete everything past its time; of a lake that is larger than ``max_bytes``, day by day the oldest rows too,
    never those of today. Restricted subjects keep their rows, and imports their counts. Running it again changes
    nothing."""
    oldest = (now - keep.rows_days * DAY) // DAY * DAY
    gone = _rows(lake, database, oldest)
    while _size(database) > max_bytes and (day := _oldest(database)) is not None and day + DAY <= now // DAY * DAY:
        oldest = max(oldest, day + DAY)
        more = _rows(lake, database, oldest)
        if not any(more.values()):
            break
        gone = {kind: gone[kind] + more[kind] for kind in gone}
    with database.write() as write:
        gone |= _small(write, now, keep)
    return Retained(gone=gone, bytes=_size(database), oldest=oldest)


def _rows(lake: Lake, database: Database, before: int) -> dict[str, int]:
    """Delete the lake's rows from before an instant; of an import all or none, by its day of landing."""
    gone = {"decisions": 0, "events": 0, "epochs": 0}
    with database.read() as read:
        files = lake.files(read)
        kept = subject_requests.restricted(read)
    for row in files:
        horizon = before - EPOCHS_LONGER if row.kind == "epochs" else before
        if row.origin == IMPORTED:
            if row.created_at < horizon:
                gone[row.kind] += rewrite(lake, database, row.path, older_than(1 << 62))
        elif row.min_at < horizon:
            gone[row.kind] += rewrite(lake, database, row.path, older_than(horizon, but=kept))
    return gone


def _small(write: Write, now: int, keep: Retention) -> dict[str, int]:
    done = (
        col(SubjectRequestRow.state).in_(("done", "refused")),
        col(SubjectRequestRow.updated_at) < now - keep.requests_days * DAY,
    )
    deletions = {
        "cells": delete(CellRow).where(
            col(CellRow.start) < now - keep.cells_days * DAY, col(CellRow.origin) != IMPORTED
        ),
        "dead_letters": delete(DeadLetterRow).where(
            col(DeadLetterRow.received_at) < now - keep.dead_letters_days * DAY
        ),
        "requests": delete(SubjectRequestRow).where(*done),
        "orders": delete(OrderRow).where(
            col(OrderRow.subjects) == "", col(OrderRow.at) < now - keep.requests_days * DAY
        ),
    }
    return {name: int(write.execute(statement).rowcount) for name, statement in deletions.items()}


def _size(database: Database) -> int:
    with database.read() as read:
        return int(read.first(select(func.sum(col(LakeFileRow.bytes)))) or 0)


def _oldest(database: Database) -> int | None:
    """Return the first day of which the lake holds rows that no import brought."""
    with database.read() as read:
        first = read.first(select(func.min(col(LakeFileRow.min_at))).where(LakeFileRow.origin != IMPORTED))
    return None if first is None else int(first) // DAY * DAY
