"""Journal to lake, exactly once: one file per kind and page, then one transaction with manifest, cells and cursor."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from urllib.parse import quote

import orjson

from collectors.cells import land
from collectors.client import Client, Failure
from collectors.entries import Page, Sorted, read_page, sort_entries
from collectors.targets import Target
from storage.cells import CELL_US
from storage.cursors import advance, positions
from storage.database import Database, Write
from storage.lake import Lake
from storage.records.clock import MINUTE, SECOND
from storage.scrapes import Scrape, note
from storage.tables.observed import DeadLetterRow
from storage.upserts import insert_new

ACCEPT = "application/x-msgpack"
PAGE = 2_000
SETTLED_US = 10 * SECOND
"""How long an entry may be on its way into the log of a replica that has been read to its head."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far one log was read: the last number, and the event-time watermark."""

    seq: int = 0
    watermark: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """What one page brought: entries landed, whether more wait."""

    scrape: Scrape
    landed: int = 0
    more: bool = False


def _prefix(replica: str) -> str:
    return f"journal:{quote(replica, safe='')}:"


def _progress(text: str | None) -> Progress:
    return Progress() if text is None else Progress(**orjson.loads(text))


def poll_journal(
    database: Database,
    lake: Lake,
    target: Target,
    client: Client,
    *,
    now: Callable[[], int],
    fence: int | None = None,
    page: int = PAGE,
) -> Poll:
    """Read one page of a replica's journal and land it.

    Files are written and synced first; then manifest, cells, dead letters and the cursor appear in one transaction
    that fails when the cursor is no longer where it was read. Whatever breaks in between, the next run does the same
    work again and its effect is there once. A new log of a replica starts its own cursor at 0.

    Raises
    ------
    Conflict
        If another collector landed this page first, or leads meanwhile; nothing is changed then.
    Unavailable
        If the database or the lake's disk does not answer.
    """
    asked = now()
    with database.read() as read:
        known = positions(read, _prefix(target.replica))
    log = max(known, key=lambda name: _progress(known[name]).watermark, default=None)
    answer = _ask(client, target, _progress(known.get(log or "")).seq, page)
    if isinstance(answer, Page) and answer.log != log:
        log = answer.log
        answer = _ask(client, target, _progress(known.get(log)).seq, page)
    before = known.get(log or "")
    done = _progress(before)
    if isinstance(answer, Page):
        answer = _identity(answer, target, log or "", done.seq)
    if isinstance(answer, Failure):
        failed = Scrape(replica=target.replica, what="journal", at=now(), result=answer.result, detail=answer.detail)
        with database.write() as write:
            note(write, failed)
        return Poll(scrape=failed)
    return _land(database, lake, answer, before, asked=asked, now=now, fence=fence)


def _ask(client: Client, target: Target, after: int, page: int) -> Page | Failure:
    body = client.get(f"{target.url}/v1/journal", params={"after": after, "limit": page}, accept=ACCEPT)
    return body if isinstance(body, Failure) else read_page(body, after)


def _identity(page: Page, target: Target, log: str, seq: int) -> Page | Failure:
    if page.replica != target.replica or page.log != log:
        return Failure(result="identity", detail="another replica or log answers under this address")
    if page.head < seq:
        return Failure(result="identity", detail="the log is shorter than what was read of it")
    return page


def _land(
    database: Database,
    lake: Lake,
    page: Page,
    before: str | None,
    *,
    asked: int,
    now: Callable[[], int],
    fence: int | None,
) -> Poll:
    done = _progress(before)
    last = page.entries[-1].seq if page.entries else done.seq
    more = last < page.head and bool(page.entries)
    watermark = max([done.watermark, *(min(entry.at, asked) for entry in page.entries)])
    if not more:
        watermark = max(done.watermark, asked - SETTLED_US)
    after = orjson.dumps(asdict(Progress(seq=last, watermark=watermark))).decode()
    lost = last - done.seq - len(page.entries)
    detail = f"{lost} entries were gone before they could be read" if lost else ""
    scrape = Scrape(replica=page.replica, what="journal", at=now(), result="ok", lost=lost, detail=detail)
    name = _prefix(page.replica) + page.log
    if not page.entries:
        with database.write() as write:
            if before is None or watermark - done.watermark >= MINUTE:
                advance(write, name, before=before, after=after, fence=fence)
            note(write, scrape)
        return Poll(scrape=scrape)
    found = sort_entries(page.entries, replica=page.replica, log=page.log)

    def also(write: Write) -> None:
        advance(write, name, before=before, after=after, fence=fence)
        _bury(write, page, found)
        note(write, scrape)

    land(
        database,
        lake,
        found.stage(lake, replica=page.replica, log=page.log, from_seq=page.entries[0].seq, to_seq=last),
        decision_ids=found.decision_ids(),
        loose={(event.campaign or "", event.at // CELL_US * CELL_US) for event in found.unnamed()},
        now=now(),
        also=also,
    )
    return Poll(scrape=scrape, landed=len(page.entries), more=more)


def _bury(write: Write, page: Page, found: Sorted) -> None:
    for seq, letter in found.dead:
        insert_new(write, DeadLetterRow, asdict(letter) | {"replica": page.replica, "log": page.log, "seq": seq})
