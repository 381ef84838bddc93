"""Catalogue syncs as they are kept: what is declared, and what each run did."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson
from sqlmodel import col, delete, desc, func, select
from sqlmodel.sql.expression import SelectOfScalar

from storage import documents
from storage.database import Read, Write
from storage.records.document import digest, document
from storage.records.syncs import CatalogueSync, Refusal, SyncRun
from storage.tables.items import SyncRow

SYNCS = "catalogue_syncs"
MOST_RUNS = 200
"""How many runs of a sync are kept."""
MOST_REFUSALS = 100
"""How many refused rows of a run are kept whole; the others are counted."""


@document
class Declared:
    """Every declared sync by name."""

    syncs: Mapping[str, CatalogueSync] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A sync, its tag, its latest run, and the latest that found something to report; None before the first."""

    name: str
    sync: CatalogueSync
    etag: str
    latest: SyncRun | None
    told: SyncRun | None


def declared(read: Read) -> Mapping[str, CatalogueSync]:
    """Return the declared syncs by name."""
    found = documents.load(read, SYNCS, Declared)
    return {} if found is None else found.syncs


def declare(write: Write, name: str, sync: CatalogueSync | None) -> None:
    """Declare a sync, or with None forget it; the items that it brought stay."""
    others = {key: each for key, each in declared(write).items() if key != name}
    documents.save(write, SYNCS, Declared(syncs=others if sync is None else {**others, name: sync}))


def standings(read: Read) -> list[Standing]:
    """Return every declared sync as it stands, by name."""
    return [
        Standing(
            name=name,
            sync=sync,
            etag=digest(sync),
            latest=latest(read, name),
            told=_first(read, name, SyncRow.result != "unchanged"),
        )
        for name, sync in sorted(declared(read).items())
    ]


def latest(read: Read, name: str) -> SyncRun | None:
    """Return the latest run of a sync."""
    return _first(read, name)


def latest_good(read: Read, name: str) -> SyncRun | None:
    """Return the latest run of a sync that read its source."""
    return _first(read, name, SyncRow.result != "failed")


def runs(read: Read, name: str, *, limit: int = 20) -> list[SyncRun]:
    """Return the latest runs of a sync, newest first."""
    rows = read.all(_of(name).limit(limit))
    return [_run(row) for row in rows]


def note(write: Write, run: SyncRun) -> None:
    """Keep a run. One that found nothing new takes the place of the one before, if that did not either; the oldest
    beyond ``MOST_RUNS`` are forgotten."""
    before = latest(write, run.name)
    if before is not None and before.result == run.result == "unchanged":
        write.execute(delete(SyncRow).where(col(SyncRow.run_id) == before.run_id))
    told = [{"row": each.row, "field": each.field, "reason": each.reason} for each in run.refusals[:MOST_REFUSALS]]
    write.add(
        SyncRow(
            **{name: getattr(run, name) for name in SyncRun.__dataclass_fields__ if name != "refusals"},
            refusals=orjson.dumps(told).decode(),
        )
    )
    write.flush()
    count = write.first(select(func.count()).select_from(SyncRow).where(SyncRow.name == run.name))
    if int(count or 0) > MOST_RUNS:
        oldest = write.all(_of(run.name).offset(MOST_RUNS))
        write.execute(delete(SyncRow).where(col(SyncRow.run_id).in_([row.run_id for row in oldest])))


def _of(name: str) -> SelectOfScalar[SyncRow]:
    return select(SyncRow).where(SyncRow.name == name).order_by(desc(SyncRow.started_at), desc(SyncRow.run_id))


def _first(read: Read, name: str, *conditions: bool) -> SyncRun | None:
    row = read.first(_of(name).where(*conditions).limit(1))
    return None if row is None else _run(row)


def _run(row: SyncRow) -> SyncRun:
    plain = {name: getattr(row, name) for name in SyncRun.__dataclass_fields__ if name != "refusals"}
    return SyncRun(**plain, refusals=tuple(Refusal(**each) for each in orjson.loads(row.refusals)))
