"""People's requests: a person's rows taken out of the lake, and the export of a hundred thousand events."""

import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.figures import Figure
from governance.control import Control
from governance.portability import Exporting, packed, zipped
from storage import migrations
from storage.database import Database
from storage.keys import Keys
from storage.lake import Lake
from storage.parquet import SCHEMAS
from storage.records import clock
from storage.records.clock import SECOND
from storage.records.requests import SubjectRequest, Traces
from storage.rewriting import find, of_person, rewrite

FILES, ROWS, PEOPLE, OWN = 20, 50_000, 20_000, 100_000
SUBJECT, LOUD = f"{7:032x}", f"{10**9:032x}"
LIMIT_S = 60.0


def events(first: int, count: int, who: np.ndarray) -> pa.Table:
    """Return events of some people as the lake keeps them."""
    at = clock.now() - 100 * SECOND + np.arange(first, first + count)
    filled = {
        "event_id": [f"e-{number}" for number in range(first, first + count)],
        "type": ["click"] * count,
        "at": at,
        "received_at": at,
        "subject": [f"{one:032x}" for one in who],
        "session": [f"s-{one}" for one in who],
        "item": [f"item-{one % 997}" for one in who],
        "surface": ["home"] * count,
        "properties": ['{"size":"M"}'] * count,
        "stored": ["full"] * count,
        "origin": ["live"] * count,
        "replica": ["engine-0"] * count,
        "log": ["l"] * count,
        "seq": np.arange(first, first + count),
    }
    columns = [pa.array(filled.get(column.name, [None] * count), column.type) for column in SCHEMAS["events"]]
    return pa.table(columns, schema=SCHEMAS["events"])


def land(lake: Lake, database: Database, rows: pa.Table, first: int) -> None:
    """Put rows into the lake as one file."""
    staged = lake.stage(
        "events",
        replica="engine-0",
        log="l",
        from_seq=first,
        to_seq=first + rows.num_rows - 1,
        origin="live",
        records=rows,
    )
    with database.write() as write:
        lake.register(write, staged, now=clock.now())


def erase(lake: Lake, database: Database) -> None:
    """Measure one person's way out of a lake of a million rows, in every file of which they are."""
    started = time.perf_counter()
    for path in sorted(lake.root.rglob("*.parquet")):  # the floor: read each file, leave the rows out, write it
        rows = pq.read_table(path)
        mine = pc.equal(rows["subject"], SUBJECT)
        pq.write_table(rows.filter(pc.invert(pc.fill_null(mine, False))), path.with_suffix(".bare"), compression="zstd")
        path.with_suffix(".bare").unlink()
    floor = time.perf_counter() - started
    started = time.perf_counter()
    found = find(lake, Traces(subjects=(SUBJECT,)))
    goes = of_person((SUBJECT,), found.sessions)
    gone = sum(rewrite(lake, database, path, goes) for path in found.files)
    value = time.perf_counter() - started
    clean = not find(lake, Traces(subjects=(SUBJECT,), sessions=tuple(found.sessions))).files
    Figure(
        bench="erasure_lake",
        value=value,
        unit=f"s to find and rewrite one person's rows in {FILES} files of {ROWS:,} rows, synced",
        floor=floor,
        ratio=value / floor,
        target="nothing is found again; <= 2 x reading and writing the same files bare, unsynced",
        ok=clean and gone > 0 and value / floor <= 2.0,
        raw={"rows_gone": gone, "files": len(found.files)},
    ).print()


def export(lake: Lake, database: Database, home: Path) -> None:
    """Measure the export of a person of many events."""
    keys = Keys.open(home)
    control = Control(database, keys, environment="bench", solo=True)
    control.bootstrap(home)
    work = Exporting(database=database, lake=lake, home=home, keys=keys, control=control, now=clock.now)
    request = SubjectRequest(
        request_id="bench",
        kind="portability",
        state="running",
        subject="",
        actor="bench",
        reason="",
        received_at=0,
        due_at=0,
        updated_at=0,
        traces=Traces(subjects=(LOUD,)),
    )
    started = time.perf_counter()
    sections = work.gather(request)
    whole = zipped(packed(sections, keys, request, at=clock.now()))
    value = time.perf_counter() - started
    Figure(
        bench="export",
        value=value,
        unit=f"s to export {OWN:,} events as JSON and CSV, signed and zipped",
        floor=None,
        ratio=None,
        target=f"complete, <= {LIMIT_S:g} s",
        ok=len(sections["events"]) == OWN and value <= LIMIT_S,
        raw={"bytes": len(whole)},
    ).print()


def main() -> None:
    """Measure both on one lake."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        database, lake = Database(f"sqlite:///{home / 'fairlead.db'}"), Lake(home / "lake")
        migrations.upgrade(database)
        rng = np.random.default_rng(7)
        for number in range(FILES):
            first = number * ROWS + 1
            who = rng.integers(0, PEOPLE, ROWS)
            who[0] = 7
            land(lake, database, events(first, ROWS, who), first)
        first = FILES * ROWS + 1
        erase(lake, database)
        land(lake, database, events(first, OWN, np.full(OWN, 10**9)), first)
        export(lake, database, home)
        database.close()


if __name__ == "__main__":
    main()
