"""Journal to lake: exactly once whatever breaks in between, poison put aside."""

import json

import duckdb
import pytest
from sqlmodel import select

from collectors.cells import rebuild
from collectors.journal import poll_journal
from storage import leases
from storage.compaction import compact, sweep
from storage.errors import Conflict, Unavailable
from storage.lake import Lake
from storage.records import wire
from storage.records.clock import HOUR, SECOND
from storage.records.events import DeadLetter, ItemEpoch
from storage.records.tasks import SCHEDULE_LEASE
from storage.scrapes import scrapes
from storage.tables.observed import CursorRow, DeadLetterRow, LakeFileRow
from tests.collectors.drained import END, cell_rows, drain, total
from tests.collectors.journals import NOON, Journal, Pages, decision, event, target


@pytest.fixture
def lake(home):
    return Lake(home / "lake")


def test_decisions_events_and_epochs_land_and_come_back(database, lake):
    made = decision(
        NOON,
        1,
        subject="s" * 32,
        context={"country": "DE", "age": 3, "vip": True, "share": 1.0},
        consent={"tracking": True},
        user_vector=b"\x00\x01",
        reasons=(("why", "so"), ()),
        rng_seed=2**63 + 5,
        stage_us={"score": 12},
    )
    seen = event(made, "impression", NOON + 1, properties={"x": 1.5, "y": "z"}, value=2.0)
    epochs = [
        ItemEpoch(epoch=1, at=NOON, keyframe=True, rows={0: (1.0, 0.0, 0.5, 0.0, 0.0)}),
        ItemEpoch(epoch=2, at=NOON + 1, keyframe=False, rows={3: (2.0, 1.0, 0.5, 0.5, 0.1)}),
        ItemEpoch(epoch=3, at=NOON + 2, keyframe=True, rows={}),
        ItemEpoch(epoch=4, at=NOON + 3, keyframe=False, rows={1: (1.0, 0.0, 0.0, 0.0, 0.0)}),
    ]
    journal = Journal()
    journal.write(made, seen, *epochs)
    assert drain(database, lake, journal).landed == 6
    with database.read() as read:
        assert lake.decision(read, made.decision_id) == made
        assert lake.decision(read, "no-such-decision") is None
        assert lake.outcomes(read, made.decision_id) == [seen]
        assert lake.epochs(read, replica="r0", epoch=2) == epochs[:2]
        assert lake.epochs(read, replica="r0", epoch=4) == epochs[2:]
        assert lake.decisions(read, start=NOON, end=NOON + 1, campaign="men", item="b", subject="s" * 32) == [made]
        assert lake.decisions(read, start=NOON + 1, end=END) == []
        assert lake.decisions(read, start=0, end=END, item="z") == []


def test_an_empty_lake_has_typed_views(sqlite_database, lake):
    with sqlite_database.read() as read, lake.connect(read) as connection:
        for view in ("decisions", "events", "epochs"):
            assert connection.execute(f'SELECT count(*), max("at") + 1 FROM {view}').fetchall() == [(0, None)]
        assert lake.decision(read, "x") is None


def test_running_again_changes_nothing(database, lake):
    made = decision(NOON, 1)
    journal = Journal()
    journal.write(made, event(made, "impression", NOON), event(made, "click", NOON + SECOND))
    drain(database, lake, journal)
    before = cell_rows(database)
    assert drain(database, lake, journal).landed == 0
    rebuild(database, lake, start=0, end=END, now=NOON)
    assert cell_rows(database) == before
    assert (total(database).impressions, total(database).clicks, total(database).hit_decisions) == (1, 1, 1)


class BrokenError(Exception):
    """The process dies here."""


@pytest.mark.parametrize("where", ["stage", "register", "replace", "commit"])
def test_a_crash_anywhere_is_made_good_by_the_next_run(sqlite_database, lake, monkeypatch, where):
    made = decision(NOON, 1)
    journal = Journal()
    journal.write(made, event(made, "impression", NOON), event(made, "click", NOON + SECOND))

    def broken(*_args, **_kwargs):
        raise BrokenError

    with monkeypatch.context() as patch:
        if where == "stage":
            real = Lake.stage
            patch.setattr(
                Lake, "stage", lambda self, kind, **rest: broken() if kind == "events" else real(self, kind, **rest)
            )
        elif where == "register":
            patch.setattr(Lake, "register", broken)
        elif where == "replace":
            patch.setattr("collectors.cells.replace_many", broken)
        else:
            patch.setattr("sqlmodel.Session.commit", broken)
        with pytest.raises(BrokenError):
            drain(sqlite_database, lake, journal)
    with sqlite_database.read() as read:
        assert read.all(select(LakeFileRow)) == []
        assert lake.decisions(read, start=0, end=END) == [], "a staged file is not visible"
    drain(sqlite_database, lake, journal)
    assert (total(sqlite_database).decisions, total(sqlite_database).clicks) == (1, 1)
    with sqlite_database.read() as read, lake.connect(read) as connection:
        assert connection.execute("SELECT count(*) FROM events").fetchall() == [(2,)]


def test_two_collectors_land_a_page_once(database, lake):
    made = decision(NOON, 1)
    journal = Journal()
    journal.write(made, event(made, "impression", NOON))
    pages = Pages({"r0": journal})

    class Racing(Pages):
        def get(self, url, *, params, accept):
            answer = super().get(url, params=params, accept=accept)
            if not hasattr(self, "ran"):
                self.ran = poll_journal(database, lake, target(journal), pages, now=lambda: NOON)
            return answer

    with pytest.raises(Conflict):
        poll_journal(database, lake, target(journal), Racing({"r0": journal}), now=lambda: NOON)
    assert total(database).impressions == 1
    with database.read() as read:
        assert len(read.all(select(LakeFileRow))) == 2


def test_an_old_leader_lands_nothing(sqlite_database, lake):
    journal = Journal()
    journal.write(decision(NOON, 1))
    with sqlite_database.write() as write:
        old = leases.acquire(write, SCHEDULE_LEASE, "a", now=0, ttl_us=1)
        leases.acquire(write, SCHEDULE_LEASE, "b", now=9, ttl_us=1)
    with pytest.raises(Conflict, match="another instance leads"):
        poll_journal(sqlite_database, lake, target(journal), Pages({"r0": journal}), now=lambda: NOON, fence=old)
    assert cell_rows(sqlite_database) == []


def test_others_who_land_meanwhile_are_counted_too(sqlite_database, lake, monkeypatch):
    made = decision(NOON, 1)
    first, second = Journal("r0"), Journal("r1", "log-1")
    first.write(made, event(made, "impression", NOON))
    second.write(event(made, "impression", NOON, item="b"))
    from collectors import cells as landing

    real, ran = landing.recount, []

    def between(*args, **kwargs):
        found = real(*args, **kwargs)
        if not ran:
            ran.append(True)
            drain(sqlite_database, lake, second)
        return found

    monkeypatch.setattr(landing, "recount", between)
    drain(sqlite_database, lake, first)
    assert total(sqlite_database).impressions == 2


def test_poison_is_put_aside_and_stops_nothing(database, lake):
    made = decision(NOON, 1)
    journal = Journal()
    journal.put("event", NOON, b"\xc1\xff")
    journal.put("mystery", NOON, b"")
    journal.write(made)
    journal.put("event", NOON, wire.encode({"event_id": 5}))
    journal.write(event(made, "impression", NOON), event(made, "click", 2**70 // 2**8))
    journal.write(DeadLetter(event_id="e", received_at=NOON, code="FL-9", field="at", reason="why", payload="{}"))
    assert drain(database, lake, journal).landed == 7
    assert total(database).impressions == 1
    with database.read() as read:
        dead = read.all(select(DeadLetterRow).order_by(DeadLetterRow.seq))
    assert [(row.seq, row.code) for row in dead] == [
        (1, "FL-2001"),
        (2, "FL-2001"),
        (4, "FL-2001"),
        (6, "FL-2001"),
        (7, "FL-9"),
    ]


def test_a_new_log_starts_at_its_own_beginning_and_a_trimmed_one_says_what_was_lost(sqlite_database, lake):
    journal = Journal()
    journal.write(decision(NOON, 1), decision(NOON, 2))
    drain(sqlite_database, lake, journal)
    fresh = Journal(log="log-new")
    fresh.write(*(decision(NOON, number) for number in range(10, 15)))
    del fresh.entries[:2]
    drain(sqlite_database, lake, fresh)
    assert total(sqlite_database).decisions == 5
    with sqlite_database.read() as read:
        seen = scrapes(read)["r0", "journal"]
    assert (seen.result, seen.lost) == ("ok", 2)


@pytest.mark.parametrize("change", ["replica", "head", "order", "garbage"])
def test_an_answer_that_cannot_be_is_refused(sqlite_database, lake, change):
    journal = Journal()
    journal.write(decision(NOON, 1), decision(NOON, 2))
    drain(sqlite_database, lake, journal)
    asked = target(journal)
    if change == "replica":
        journal.replica = "r9"
    elif change == "head":
        journal.entries, journal.head = [], 0
    elif change == "order":
        journal.entries.append([2, "event", NOON, b""])
        journal.entries += [[4, "event", NOON, b""], [3, "event", NOON, b""]]
    else:
        journal.answer = lambda after, limit: b"\x93"
    poll = poll_journal(sqlite_database, lake, asked, Pages({"r0": journal}), now=lambda: NOON)
    assert poll.scrape.result == ("identity" if change in {"replica", "head"} else "parse")
    assert total(sqlite_database).decisions == 2


def test_a_full_disk_lands_nothing_and_says_so(sqlite_database, lake, monkeypatch):
    journal = Journal()
    journal.write(decision(NOON, 1))

    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("storage.lake.pq.write_table", full)
        with pytest.raises(Unavailable, match="no room left"):
            drain(sqlite_database, lake, journal)
    assert list(lake.root.rglob("*.partial")) == []
    drain(sqlite_database, lake, journal)
    assert total(sqlite_database).decisions == 1


def test_replica_and_log_names_cannot_leave_the_lake(sqlite_database, lake):
    journal = Journal(replica="../..", log="../x/y.z")
    journal.write(decision(NOON, 1))
    drain(sqlite_database, lake, journal)
    with sqlite_database.read() as read:
        (row,) = read.all(select(LakeFileRow))
        assert len(lake.decisions(read, start=0, end=END)) == 1
    assert (lake.root / row.path).resolve().is_relative_to(lake.root.resolve())
    assert ".." not in row.path


def test_compaction_merges_and_sweeping_waits(database, lake):
    journal = Journal()
    for number in range(20):
        journal.write(decision(NOON, number))
    drain(database, lake, journal, page=2)
    with database.read() as read:
        before = sorted(lake.decisions(read, start=0, end=END), key=lambda made: made.decision_id)
        old = {row.path for row in lake.files(read)}
    assert compact(lake, database, now=NOON) == 10
    assert compact(lake, database, now=NOON) == 0
    with database.read() as read:
        (row,) = lake.files(read)
        assert sorted(lake.decisions(read, start=0, end=END), key=lambda made: made.decision_id) == before
    assert (row.rows, row.from_seq, row.to_seq) == (20, 1, 20)
    assert sweep(lake, database) == 0, "readers may still have them open"
    assert sweep(lake, database, wall_s=(lake.root / row.path).stat().st_mtime + 2 * 3_600) == len(old)
    assert drain(database, lake, journal).landed == 0


def test_the_manifest_names_what_is_on_the_disk(sqlite_database, lake):
    from hashlib import sha256

    journal = Journal()
    journal.write(decision(NOON, 1), decision(NOON + 5, 2, origin="simulated"))
    drain(sqlite_database, lake, journal)
    with sqlite_database.read() as read:
        (row,) = lake.files(read, "decisions", start=NOON + 5, end=NOON + 6)
        assert lake.files(read, start=NOON + 6) == []
    body = (lake.root / row.path).read_bytes()
    assert (row.bytes, row.sha256, row.rows) == (len(body), sha256(body).hexdigest(), 2)
    assert (row.min_at, row.max_at, row.origin) == (NOON, NOON + 5, "mixed")
    assert duckdb.sql(f"SELECT count(*) FROM '{lake.root / row.path}'").fetchall() == [(2,)]


def test_progress_is_one_cursor_per_log(sqlite_database, lake):
    journal = Journal()
    journal.write(decision(NOON, 1))
    drain(sqlite_database, lake, journal, now=NOON + HOUR)
    with sqlite_database.read() as read:
        row = read.get(CursorRow, "journal:r0:log-0")
    assert json.loads(row.value) == {"seq": 1, "watermark": NOON + HOUR - 10 * SECOND}
