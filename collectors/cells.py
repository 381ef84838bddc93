"""Landing: staged lake files, the cells that they touch and a cursor become visible together, exactly once."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from threading import RLock
from typing import Any

from sqlmodel import col, update

from storage import campaigns
from storage.cells import CELL_US, replace_many
from storage.database import Database, Read, Write
from storage.errors import Conflict
from storage.joins import Touched, count, touch, want
from storage.lake import Lake, LakeFile, made_at
from storage.records.clock import DAY
from storage.sketches import pack
from storage.tables.observed import CursorRow
from storage.upserts import insert_new

LOOKBACK_US = 31 * DAY
_GENERATION = "cells"
_ATTEMPTS = 8
_landing = RLock()
"""Spares the threads of one process counting in vain; processes are kept apart by the generation."""


def _since(decision_ids: Iterable[str], at: int) -> int:
    """Return where reading must begin: a cell before the oldest of the named decisions, but not for ever back."""
    made = [when for when in map(made_at, decision_ids) if when is not None]
    return max((min([at, *made]) // CELL_US - 1) * CELL_US, at - LOOKBACK_US)


def _column(row: Mapping[str, Any]) -> dict[str, Any]:
    people = row["people"]
    kept = {name: value for name, value in row.items() if name != "people"}
    return kept | {"users": pack(people), "users_known": bool(people)}


def recount(
    read: Read, lake: Lake, *, decision_ids: Iterable[str], loose: Touched, staged: Sequence[LakeFile] = ()
) -> tuple[Touched, list[dict[str, Any]]]:
    """Count anew every cell that some decisions, and events without one (``loose``), may have changed.

    Returns the (campaign, 15 minutes) touched and all rows that they hold now.
    """
    ids = set(decision_ids)
    times = [start for _, start in loose] + [file.min_at for file in staged]
    if not ids and not loose:
        return set(), []
    made = [when for when in map(made_at, ids) if when is not None]
    since = _since(ids, min(times or made or [0]))
    goals = {stored.campaign.key: stored.campaign.goal for stored in campaigns.listed(read)}
    connection = lake.connect(read, start=since, staged=staged, restricted=True)
    try:
        touched = touch(connection, ids, loose)
        if not touched:
            return set(), []
        wanted = want(connection, touched)
        earlier = _since(wanted, min(start for _, start in touched))
        if earlier < since:
            connection.close()
            connection = lake.connect(read, start=earlier, staged=staged, restricted=True)
        return touched, [_column(row) for row in count(connection, touched=touched, wanted=wanted, goals=goals)]
    finally:
        connection.close()


def _generation(read: Read) -> str:
    row = read.get(CursorRow, _GENERATION)
    return "0" if row is None else row.value


def land(
    database: Database,
    lake: Lake,
    staged: Sequence[LakeFile],
    *,
    decision_ids: Iterable[str],
    loose: Touched,
    now: int,
    also: Callable[[Write], None],
) -> int:
    """Register staged files, replace the cells they touch and run ``also``, all in one transaction.

    Cells are counted before the transaction, so that it is short; if another collector landed meanwhile they are
    counted again. Returns how many cell rows were written.

    Raises
    ------
    Conflict
        What ``also`` raises, or when others land faster than this one can count.
    """
    ids = list(decision_ids)
    for _ in range(_ATTEMPTS):
        with _landing:
            written = _attempt(database, lake, staged, ids, loose, now=now, also=also)
        if written is not None:
            return written
    raise Conflict("other collectors land faster than this one can count; only one should run")


def _attempt(
    database: Database,
    lake: Lake,
    staged: Sequence[LakeFile],
    ids: Sequence[str],
    loose: Touched,
    *,
    now: int,
    also: Callable[[Write], None],
) -> int | None:
    """Count, then write if nobody else landed meanwhile; None if somebody did."""
    with database.read() as read:
        generation = _generation(read)
        touched, rows = recount(read, lake, decision_ids=ids, loose=loose, staged=staged)
    with database.write() as write:
        insert_new(write, CursorRow, {"name": _GENERATION, "value": "0", "fence": 0})
        statement = update(CursorRow).where(col(CursorRow.name) == _GENERATION, col(CursorRow.value) == generation)
        if write.execute(statement.values(value=str(int(generation) + 1))).rowcount != 1:
            return None
        also(write)
        for lake_file in staged:
            lake.register(write, lake_file, now=now)
        replace_many(write, touched, rows)
    return len(rows)


def rebuild(database: Database, lake: Lake, *, start: int, end: int, now: int) -> int:
    """Count anew all cells of decisions and events in a range, as after a change of a campaign's goal."""
    with database.read() as read, lake.connect(read, start=start, end=end, restricted=True) as connection:
        ids = connection.execute(
            "SELECT decision_id FROM decisions UNION SELECT decision_id FROM events WHERE decision_id IS NOT NULL"
        ).fetchall()
        loose = connection.execute(
            """SELECT DISTINCT coalesce(campaign, ''), "at" // ? * ? FROM events WHERE decision_id IS NULL""",
            [CELL_US, CELL_US],
        ).fetchall()
    return land(
        database,
        lake,
        (),
        decision_ids=[decision_id for (decision_id,) in ids],
        loose={(campaign, at) for campaign, at in loose},
        now=now,
        also=lambda _: None,
    )
