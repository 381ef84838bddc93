"""A journal drained into the lake, and what the cells then hold."""

from sqlmodel import select

from collectors.journal import poll_journal
from storage import cells
from storage.records.clock import DAY
from storage.tables.observed import CellRow
from tests.collectors.journals import NOON, Pages, target

END = NOON + 30 * DAY


def drain(database, lake, journal, *, page=2_000, now=NOON + DAY):
    pages = Pages({journal.replica: journal})
    while (poll := poll_journal(database, lake, target(journal), pages, now=lambda: now, page=page)).more:
        pass
    return poll


def cell_rows(database):
    with database.read() as read:
        order = (CellRow.campaign, CellRow.start, CellRow.cube, CellRow.a, CellRow.b, CellRow.origin)
        return [row.model_dump() for row in read.all(select(CellRow).order_by(*order))]


def total(database, **fields):
    with database.read() as read:
        found = cells.totals(read, start=0, end=END, by=(), **fields)
    return found[0] if found else None
