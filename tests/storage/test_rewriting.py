"""A person's rows leave the lake whole, nobody else's do; what is past its time goes, and is looked for everywhere."""

from dataclasses import asdict
from pathlib import Path

import msgspec
import pyarrow.parquet as pq
import pytest

from storage import residue, subject_requests
from storage.compaction import compact
from storage.database import Database
from storage.lake import Lake
from storage.records.clock import DAY
from storage.records.decisions import Decision
from storage.records.events import DeadLetter, Event
from storage.records.requests import Traces
from storage.records.retention import Retention
from storage.retention import expire
from storage.rewriting import find, holding, of_person, rewrite
from storage.tables.observed import CellRow, DeadLetterRow, LakeFileRow

NOW = 1_760_000_000_000_000 // DAY * DAY + DAY // 2
ANNA, BERT, PHONE = "a" * 32, "b" * 32, "c" * 32


def decided(number: int, subject: str | None, session: str | None = None, *, at: int = NOW, **more) -> Decision:
    return Decision(
        decision_id=f"d-{number}",
        at=at,
        replica="engine-0",
        subject=subject,
        session=session,
        sequence=0,
        surface="home",
        campaign="men",
        slots=1,
        revision=1,
        consent_epoch=0,
        policy="home",
        version=1,
        bucket=0.5,
        served_by="model",
        reason="ok",
        items=("i",),
        propensity=(1.0,),
        **more,
    )


def did(number: int, subject: str | None, session: str | None = None, *, at: int = NOW, **more) -> Event:
    return Event(event_id=f"e-{number}", type="click", at=at, received_at=at, subject=subject, session=session, **more)


@pytest.fixture
def lake(home: Path) -> Lake:
    return Lake(home / "lake")


def land(lake: Lake, database: Database, kind: str, records: list, *, first: int = 1, now: int = NOW, **more) -> str:
    staged = lake.stage(
        kind,
        records=records,
        from_seq=first,
        to_seq=first + len(records) - 1,
        **({"replica": "engine-0", "log": "l", "origin": "live"} | more),
    )
    with database.write() as write:
        assert lake.register(write, staged, now=now)
    return staged.path


def test_a_person_is_found_by_pseudonyms_and_by_their_sessions(lake: Lake, sqlite_database: Database) -> None:
    land(lake, sqlite_database, "decisions", [decided(1, ANNA, "s-1"), decided(2, None, "s-1"), decided(3, BERT)])
    land(
        lake,
        sqlite_database,
        "events",
        [did(1, ANNA, at=NOW - DAY), did(2, PHONE, "s-2"), did(3, None, "s-2"), did(4, BERT, "s-1"), did(5, None)],
    )
    found = find(lake, Traces(subjects=(ANNA, PHONE)))
    assert found.rows == {"decisions": 2, "events": 3} and found.sessions == {"s-1", "s-2"}
    assert found.decision_ids == {"d-1", "d-2"} and found.first_at == NOW - DAY and len(found.files) == 2
    assert {campaign for campaign, _ in found.touched} == {"", "men"}
    goes = of_person((ANNA, PHONE), found.sessions)
    assert sum(rewrite(lake, sqlite_database, path, goes) for path in found.files) == 5
    assert find(lake, Traces(subjects=(ANNA, PHONE), sessions=("s-1", "s-2"))).files == ()
    with sqlite_database.read() as read:
        assert [one.decision_id for one in lake.decisions(read, start=0, end=NOW * 2)] == ["d-3"]
        assert [one.event_id for one in lake.acts(read, BERT, limit=9)] == ["e-4"]
        for row in lake.files(read):
            held = pq.read_table(lake.root / row.path)
            assert (row.rows, row.bytes) == (held.num_rows, (lake.root / row.path).stat().st_size)
    for text in (ANNA, PHONE, "s-2"):
        assert holding(lake, [text]) == {}


def test_a_file_of_one_person_alone_leaves_manifest_and_disk(lake: Lake, sqlite_database: Database) -> None:
    path = land(lake, sqlite_database, "events", [did(1, ANNA), did(2, ANNA)])
    assert rewrite(lake, sqlite_database, path, of_person([ANNA], [])) == 2
    assert rewrite(lake, sqlite_database, path, of_person([ANNA], [])) == 0
    assert not (lake.root / path).exists()
    with sqlite_database.read() as read:
        assert lake.files(read) == []


def test_files_that_compaction_left_behind_are_rewritten_too(lake: Lake, sqlite_database: Database) -> None:
    for first in range(1, 20, 2):
        land(lake, sqlite_database, "events", [did(first, ANNA), did(first + 1, BERT)], first=first)
    assert compact(lake, sqlite_database, now=NOW) == 10
    found = find(lake, Traces(subjects=(ANNA,)))
    assert len(found.files) == 11 and found.rows["events"] == 10
    for path in found.files:
        rewrite(lake, sqlite_database, path, of_person([ANNA], []))
    assert holding(lake, [ANNA]) == {} and len(holding(lake, [BERT])) == 11


def test_restricted_subjects_are_kept_and_not_used(lake: Lake, sqlite_database: Database) -> None:
    land(lake, sqlite_database, "decisions", [decided(1, ANNA), decided(2, None)])
    land(lake, sqlite_database, "events", [did(1, ANNA), did(2, BERT)])
    with sqlite_database.write() as write:
        subject_requests.restrict(write, ANNA, at=1, request_id="r", before=())
    with sqlite_database.read() as read:
        assert [one.decision_id for one in lake.decisions(read, start=0, end=NOW * 2)] == ["d-2"]
        assert lake.acts(read, ANNA, limit=9) == [] and len(lake.acts(read, BERT, limit=9)) == 1
        with lake.connect(read, restricted=True) as connection:
            assert connection.execute("SELECT count(*) FROM decisions").fetchone() == (2,)


def test_rows_past_their_time_go_by_the_day_and_restricted_ones_stay(lake: Lake, database: Database) -> None:
    old = NOW - 200 * DAY
    land(lake, database, "decisions", [decided(1, BERT, at=old), decided(2, ANNA, at=old), decided(3, BERT)])
    land(lake, database, "events", [did(1, None, at=old)], log="old")
    land(lake, database, "events", [did(2, None, at=old)], log="imported", origin="imported")
    with database.write() as write:
        subject_requests.restrict(write, ANNA, at=1, request_id="r", before=())
        for start, origin in ((NOW - 500 * DAY, "live"), (NOW - 500 * DAY, "imported"), (NOW, "live")):
            write.add(CellRow(campaign="men", start=start, cube="time", a="", b="", origin=origin))
        for seq, at in ((1, NOW - 40 * DAY), (2, NOW)):
            letter = DeadLetter(event_id=None, received_at=at, code="c", field="f", reason="r", payload="{}")
            write.add(DeadLetterRow(replica="e", log="l", seq=seq, **asdict(letter)))
    retained = expire(lake, database, now=NOW, keep=Retention(), max_bytes=1 << 40)
    assert {name: count for name, count in retained.gone.items() if count} == {
        "decisions": 1,
        "events": 1,
        "cells": 1,
        "dead_letters": 1,
    }
    assert not any(expire(lake, database, now=NOW, keep=Retention(), max_bytes=1 << 40).gone.values())
    with database.read() as read, lake.connect(read, restricted=True) as connection:
        assert connection.execute("SELECT decision_id FROM decisions ORDER BY 1").fetchall() == [("d-2",), ("d-3",)]
        assert connection.execute("SELECT event_id FROM events").fetchall() == [("e-2",)]
    assert expire(lake, database, now=NOW + 181 * DAY, keep=Retention(), max_bytes=1 << 40).gone["events"] == 1


def test_a_lake_that_is_too_large_loses_its_oldest_days(lake: Lake, sqlite_database: Database) -> None:
    for day in range(10):
        at = NOW - day * DAY
        land(lake, sqlite_database, "events", [did(day * 100 + n, BERT, at=at) for n in range(50)], first=day * 50 + 1)
    with sqlite_database.read() as read:
        sizes = {row.min_at: row.bytes for row in lake.files(read)}
    room = sum(sizes[NOW - day * DAY] for day in range(3))
    retained = expire(lake, sqlite_database, now=NOW, keep=Retention(), max_bytes=room)
    assert retained.gone["events"] == 7 * 50 and retained.bytes == room
    assert retained.oldest == (NOW - 2 * DAY) // DAY * DAY
    assert expire(lake, sqlite_database, now=NOW, keep=Retention(), max_bytes=0).gone["events"] == 100
    with sqlite_database.read() as read:
        assert [row.min_at for row in lake.files(read)] == [NOW]


def test_a_search_sees_every_table_every_file_and_every_row(lake: Lake, home: Path, database: Database) -> None:
    nobody = residue.search(database, lake, home, [ANNA])
    assert nobody.found == () and nobody.tables > 20
    land(lake, database, "decisions", [decided(1, None, context={"note": f"for {ANNA}"})])
    (home / "run").mkdir()
    (home / "run" / "engine.log").write_bytes(b"x" * 100 + ANNA.encode() + b"y" + ANNA.encode())
    (home / "windows").mkdir()
    (home / "windows" / "w.msgpack").write_bytes(msgspec.msgpack.encode({"s": ANNA}))
    with database.write() as write:
        letter = DeadLetter(event_id=ANNA, received_at=1, code="c", field="f", reason="r", payload="{}")
        write.add(DeadLetterRow(replica="e", log="l", seq=1, **asdict(letter)))
    found = dict(residue.search(database, lake, home, [ANNA, "n" * 32]).found)
    assert found.pop("dead_letters.event_id") == 1 and found.pop("run/engine.log") == 2
    assert found.pop("windows/w.msgpack") == 1
    assert [name for name in found if name.startswith("lake/decisions/")]


def test_what_stands_across_two_reads_is_seen_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(residue, "_PART", 10)
    path = tmp_path / "file"
    path.write_bytes(b"......secret....secretsecret")
    assert residue.in_file(path, [b"secret", b"cre"]) == (28, 6)
    assert residue.in_file(path, [b"public"]) == (28, 0)


def test_the_manifest_is_the_only_register(lake: Lake, sqlite_database: Database) -> None:
    path = land(lake, sqlite_database, "events", [did(1, ANNA), did(2, BERT)])
    with sqlite_database.read() as read:
        before = read.get(LakeFileRow, path)
    rewrite(lake, sqlite_database, path, of_person([ANNA], []))
    with sqlite_database.read() as read:
        after = read.get(LakeFileRow, path)
    assert before is not None and after is not None and before.sha256 != after.sha256
    assert (after.from_seq, after.to_seq, after.created_at) == (before.from_seq, before.to_seq, before.created_at)
