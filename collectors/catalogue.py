"""Catalogue syncs: a source is read, its rows become items, and a report says what came of it."""

import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from collectors.download import fetch
from collectors.drafts import Drafted, draft
from storage import catalogue, foreign, leases, syncs, tabular
from storage.database import Database, Read
from storage.errors import FairleadError, Invalid, NotFound, Unavailable
from storage.records.clock import SECOND
from storage.records.document import digest
from storage.records.syncs import SECRET, CatalogueSync, SyncRun, told_location
from storage.records.tasks import SCHEDULE_LEASE, Task
from storage.tabular import Row

EVERY_S = 2.0
BATCH = 1_000
"""How many items one transaction brings: others wait meanwhile, an opt-out among them."""
PREFIX = "FAIRLEAD_SECRET_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Syncing:
    """What a run works with; ``secrets`` holds the environment's ``FAIRLEAD_SECRET_NAME``."""

    database: Database
    home: Path
    now: Callable[[], int]
    secrets: Mapping[str, str] = field(default_factory=lambda: os.environ)


@dataclass(frozen=True, slots=True)
class _Opened:
    """What a source says of itself, and its rows; None where nothing changed since the run before."""

    rows: Iterator[Row] | None
    etag: str = ""
    modified: str = ""


def sync_catalogue(
    context: Syncing, name: str, sync: CatalogueSync, *, force: bool = False, fence: int | None = None
) -> SyncRun:
    """Run one sync and keep its report; what fails is told there and changes no item.

    ``force`` reads the source even where it says that nothing changed. ``fence`` is the leader's token: what a former
    leader brings is void.

    Raises
    ------
    FairleadError
        If the database of the house does not answer, or another instance leads.
    """
    with context.database.read() as read:
        before = syncs.latest_good(read, name)
    run = SyncRun(
        run_id=uuid4().hex,
        name=name,
        declared=digest(sync),
        started_at=context.now(),
        finished_at=0,
        result="failed",
    )
    known = before if before is not None and before.declared == run.declared and not force else None
    try:
        with tempfile.TemporaryDirectory(prefix="fairlead-sync-") as folder:
            opened = _open(context, sync, Path(folder), known)
            run = replace(run, etag=opened.etag, modified=opened.modified)
            drafted = None if opened.rows is None else draft(opened.rows, sync.mapping)
    except FairleadError as error:
        return _noted(context, replace(run, note=str(error)), fence)
    if drafted is None:
        version = 0 if before is None else before.version
        told = replace(run, result="unchanged", note="the source did not change", version=version)
        return _noted(context, told, fence)
    return _taken(context, run, sync, drafted, fence)


def due(read: Read, now: int) -> list[tuple[str, CatalogueSync]]:
    """Return the enabled syncs whose time has come."""
    found = []
    for name, sync in syncs.declared(read).items():
        latest = syncs.latest(read, name) if sync.enabled else None
        if sync.enabled and (latest is None or latest.started_at + sync.every_s * SECOND <= now):
            found.append((name, sync))
    return found


def sync_task(context: Syncing) -> Task:
    """Return the task that begins what is due, each on a thread of its own: a slow source holds up nobody, and none is
    read twice at a time."""
    busy: set[str] = set()

    def work(name: str, sync: CatalogueSync, fence: int) -> None:
        try:
            sync_catalogue(context, name, sync, fence=fence)
        except FairleadError:
            return  # the database is away or another instance leads: the next round begins anew
        finally:
            busy.discard(name)

    def run(fence: int) -> None:
        with context.database.read() as read:
            waiting = due(read, context.now())
        for name, sync in waiting:
            if name not in busy:
                busy.add(name)
                threading.Thread(target=work, args=(name, sync, fence), name=f"sync-{name}", daemon=True).start()

    return Task(name="sync-catalogue", every_s=EVERY_S, run=run)


def _open(context: Syncing, sync: CatalogueSync, folder: Path, known: SyncRun | None) -> _Opened:
    location = _told(sync.location, context.secrets)
    if sync.source == "sql":
        return _Opened(foreign.rows(location, sync.query, timeout_s=sync.timeout_s))
    if sync.source == "file":
        return _file(context.home / Path(location).expanduser(), sync, known)
    path = folder / "document"
    fetched = fetch(
        location,
        path,
        headers={name: _told(value, context.secrets) for name, value in sync.headers.items()},
        etag=known.etag if known else "",
        modified=known.modified if known else "",
        timeout_s=sync.timeout_s,
        most_bytes=sync.most_mb << 20,
    )
    if not fetched.fresh:
        return _Opened(None, fetched.etag or (known.etag if known else ""), known.modified if known else "")
    form = sync.format if sync.format != "auto" else tabular.format_of(location.partition("?")[0], fetched.media)
    return _Opened(_rows(path, form, sync), fetched.etag, fetched.modified)


def _file(path: Path, sync: CatalogueSync, known: SyncRun | None) -> _Opened:
    try:
        told = path.stat()
    except OSError:
        raise NotFound(
            f"location: there is no file {told_location(sync)}; put it there, or mend the location"
        ) from None
    stamp = f"{told.st_size}-{told.st_mtime_ns}-{told.st_ino}"
    if known is not None and known.etag == stamp:
        return _Opened(None, stamp)
    if told.st_size > sync.most_mb << 20:
        raise Invalid(f"the file is larger than {sync.most_mb} MB; raise most_mb")
    return _Opened(_rows(path, sync.format if sync.format != "auto" else tabular.format_of(path.name), sync), stamp)


def _rows(path: Path, form: str, sync: CatalogueSync) -> Iterator[Row]:
    return tabular.rows(path, form, delimiter=sync.delimiter, records=sync.records)


def _taken(context: Syncing, run: SyncRun, sync: CatalogueSync, drafted: Drafted, fence: int | None) -> SyncRun:
    """Bring in what differs, hide what vanished, and keep the report.

    Nobody else may write while a batch is written, so batches are small; a run that is cut off has brought some of
    them, and the next brings the others.
    """
    with context.database.read() as read:
        visible = catalogue.visible_ids(read, run.name) if sync.vanished == "hide" else set()
        pending = catalogue.pending(read, drafted.items, source=run.name)
        version = catalogue.version(read)
    gone = sorted(visible - drafted.named)
    told = replace(
        run,
        rows=drafted.rows,
        refused=len(drafted.refusals),
        refusals=tuple(drafted.refusals[: syncs.MOST_REFUSALS]),
        version=version,
    )
    problem = _doubt(drafted, gone=len(gone), visible=len(visible), sync=sync)
    if problem:
        return _noted(context, replace(told, note=problem), fence)
    for first in range(0, max(len(pending), len(gone)), BATCH):
        batch = slice(first, first + BATCH)
        with context.database.write() as write:
            _guard(write, fence)
            report = catalogue.upsert(write, pending[batch], now=context.now(), source=run.name, withdraw=gone[batch])
        told = replace(
            told,
            added=told.added + report.added,
            changed=told.changed + report.changed,
            hidden=told.hidden + report.hidden,
            version=report.version,
        )
    unchanged = len(drafted.items) - told.added - told.changed
    return _noted(context, replace(told, result="ok", unchanged=unchanged), fence)


def _doubt(drafted: Drafted, *, gone: int, visible: int, sync: CatalogueSync) -> str:
    """Return why what was read cannot be what was meant; nothing where it can."""
    if drafted.rows and not drafted.items:
        first = drafted.refusals[0]
        return f"every row was refused, the first for {first.field or 'its form'}: {first.reason}; look at the mapping"
    if visible and gone > sync.hide_at_most * visible:
        return (
            f"{gone:,} of {visible:,} items are no longer there, more than the share {sync.hide_at_most:g} that may be "
            "hidden in one run; if that is right, raise hide_at_most"
        )
    return ""


def _noted(context: Syncing, run: SyncRun, fence: int | None) -> SyncRun:
    told = replace(run, finished_at=context.now())
    with context.database.write() as write:
        _guard(write, fence)
        syncs.note(write, told)
    return told


def _guard(read: Read, fence: int | None) -> None:
    if fence is not None and not leases.holds(read, SCHEDULE_LEASE, fence):
        raise Unavailable("another instance leads the schedule by now")


def _told(text: str, secrets: Mapping[str, str]) -> str:
    """Return a text with its secrets in place."""

    def secret(found: Any) -> str:
        value = secrets.get(PREFIX + found[1])
        if not value:
            raise Invalid(f"the secret {found[1]} is not set; set {PREFIX}{found[1]} where control runs")
        return value

    return SECRET.sub(secret, text)
