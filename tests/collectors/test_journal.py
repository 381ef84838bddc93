"""Journal to lake: exactly once whatever breaks in between, poison put aside, cells equal to an independent count."""

import json
import shutil

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlmodel import select

from collectors.cells import rebuild
from collectors.journal import poll_journal
from storage import campaigns, cells, leases
from storage.cells import CELL_US
from storage.compaction import compact, sweep
from storage.database import Database
from storage.errors import Conflict, Unavailable
from storage.lake import Lake
from storage.records import wire
from storage.records.campaigns import Campaign
from storage.records.clock import DAY, HOUR, MINUTE, SECOND
from storage.records.events import DeadLetter, ItemEpoch
from storage.records.tasks import SCHEDULE_LEASE
from storage.scrapes import scrapes
from storage.tables.observed import CellRow, CursorRow, DeadLetterRow, LakeFileRow
from tests.collectors.journals import NOON, Journal, Pages, decision, event, target

END = NOON + 30 * DAY


@pytest.fixture
def lake(home):
    return Lake(home / "lake")


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


ITEMS = ("a", "b", "z")
STEP = st.tuples(
    st.sampled_from(["impression", "impression", "click", "purchase"]),
    st.integers(0, 4),
    st.sampled_from(ITEMS),
    st.sampled_from([-MINUTE, 0, SECOND, 14 * MINUTE, HOUR, 23 * HOUR, DAY, DAY + 1, 8 * DAY]),
    st.sampled_from(["live", "live", "live", "simulated"]),
)


def scenario(steps, origins):
    """Five decisions in two campaigns, events about them and about nothing known."""
    made = [
        decision(
            NOON + number * 7 * MINUTE,
            number,
            campaign=(None, "men", "men", "women", "men")[number],
            subject=(None, "s1", "s2", "s1", "s1")[number],
            served_by=("default", "model", "fallback", "model", "rules")[number],
            assume_impression=number == 3,
            positions=() if number % 2 else (4, 9),
            context={"country": ("DE", "FR")[number % 2], "vip": number > 2, "age": number},
            join_window_s=(86_400, 86_400, 60, 86_400, 3_600)[number],
            origin=origins[number],
        )
        for number in range(5)
    ]
    strange = decision(NOON, 99)
    events = []
    for place, (type_, number, item, delay, origin) in enumerate(steps):
        about = strange if place % 11 == 10 else made[number]
        events.append(event(about, type_, about.at + delay, item=item, event_id=f"e{place}", origin=origin))
    loose = [event(None, "click", NOON + 3, event_id=f"loose{place}", stored="aggregate") for place in range(2)]
    return made, [*events, *loose]


def truth(database, lake):
    """The same counts by another road: one plain statement per number, straight from the raw rows of the lake."""
    with database.read() as read:
        connection = lake.connect(read)
    connection.execute(
        """
        CREATE TABLE dd AS SELECT DISTINCT ON (decision_id) * FROM decisions;
        CREATE TABLE ee AS SELECT DISTINCT ON (event_id) * FROM events;
        CREATE TABLE slots AS SELECT dd.*, i.i AS place, items[i.i] AS slot_item,
          CASE WHEN len(positions) > 0 THEN positions[i.i] ELSE i.i END AS slot_position
          FROM dd, range(1, 3) i(i);
        CREATE TABLE shown AS
          SELECT s.*, (SELECT min(t) FROM (
              SELECT e."at" AS t FROM ee e WHERE e.decision_id = s.decision_id AND e.item = s.slot_item
                AND e.type = 'impression' AND e."at" - s."at" <= 604800000000
              UNION ALL SELECT s."at" WHERE s.assume_impression)) AS seen
          FROM slots s;
        CREATE TABLE facts AS
          SELECT s.*, EXISTS (SELECT 1 FROM ee e WHERE e.decision_id = s.decision_id AND e.item = s.slot_item
                   AND e.type = 'click' AND e."at" BETWEEN s.seen AND s.seen + 1000000 * s.join_window_s) AS clicked,
                 EXISTS (SELECT 1 FROM ee e WHERE e.decision_id = s.decision_id AND e.item = s.slot_item
                   AND e.type = CASE WHEN s.campaign = 'women' THEN 'purchase' ELSE 'click' END
                   AND e."at" >= s.seen AND e."at" <= s.seen + 1000000 * s.join_window_s) AS converted,
                 CASE WHEN EXISTS (SELECT 1 FROM ee e WHERE e.decision_id = s.decision_id AND e.origin = 'simulated')
                      THEN 'simulated' ELSE s.origin END AS mark
          FROM shown s;
        """
    )

    def rows(sql):
        return {tuple(row[:-1]): row[-1] for row in connection.execute(sql).fetchall()}

    where = "coalesce(campaign, ''), (seen - seen % 900000000), mark"
    made = 'coalesce(campaign, \'\'), ("at" - "at" % 900000000), mark'
    result = {
        "impressions": rows(f"SELECT {where}, count(*) FROM facts WHERE seen IS NOT NULL GROUP BY ALL"),
        "clicks": rows(f"SELECT {where}, count(*) FROM facts WHERE clicked GROUP BY ALL"),
        "conversions": rows(f"SELECT {where}, count(*) FROM facts WHERE converted GROUP BY ALL"),
        "decisions": rows(f"SELECT {made}, count(DISTINCT decision_id) FROM facts GROUP BY ALL"),
        "model_decisions": rows(
            f"SELECT {made}, count(DISTINCT decision_id) FROM facts WHERE served_by = 'model' GROUP BY ALL"
        ),
        "shown_decisions": rows(
            f"""SELECT {where}, count(*) FROM (SELECT decision_id, campaign, mark, min(seen) AS seen FROM facts
                WHERE seen IS NOT NULL GROUP BY ALL) GROUP BY ALL"""
        ),
        "hit_decisions": rows(
            f"""SELECT {where}, count(*) FROM (SELECT decision_id, campaign, mark, min(seen) AS seen FROM facts
                WHERE seen IS NOT NULL GROUP BY ALL HAVING bool_or(clicked)) GROUP BY ALL"""
        ),
        "people": rows(
            f"""SELECT {where}, count(DISTINCT subject) FROM facts
                WHERE seen IS NOT NULL AND subject IS NOT NULL GROUP BY ALL"""
        ),
        "position_item": rows(
            f"""SELECT slot_position::VARCHAR, slot_item, {where}, count(*) FROM facts
                WHERE seen IS NOT NULL GROUP BY ALL"""
        ),
        "segment": rows(
            f"""SELECT 'country=' || (context ->> 'country'), {where}, count(*) FROM facts WHERE seen IS NOT NULL
                GROUP BY ALL UNION ALL
                SELECT 'vip=' || (context ->> 'vip'), {where}, count(*) FROM facts WHERE seen IS NOT NULL
                GROUP BY ALL"""
        ),
        "unjoined": rows(
            """SELECT count(*) FROM ee e WHERE NOT EXISTS (SELECT 1 FROM facts f WHERE f.decision_id = e.decision_id
               AND f.slot_item = e.item AND f.seen IS NOT NULL AND CASE WHEN e.type = 'impression'
               THEN e."at" - f."at" <= 604800000000
               ELSE e."at" >= f.seen AND e."at" <= f.seen + 1000000 * f.join_window_s END)"""
        ),
    }
    connection.close()
    return result


def stored(database):
    found = {name: {} for name in (*cells._COUNTED, "people", "position_item", "segment")}
    unjoined = 0
    for row in cell_rows(database):
        place = (row["campaign"], row["start"], row["origin"])
        if row["cube"] == "time":
            for name in cells._COUNTED:
                if row[name]:
                    found[name][place] = row[name]
            if row["users_known"]:
                found["people"][place] = len(row["users"]) // 8
        elif row["cube"] == "unjoined":
            unjoined += row["impressions"]
        elif row["impressions"]:
            key = (row["a"], row["b"]) if row["cube"] == "position_item" else (row["a"],)
            found[row["cube"]][(*key, *place)] = row["impressions"]
    return found | {"unjoined": {(): unjoined}}


def wipe(database: Database, lake: Lake) -> None:
    with database.write() as write:
        for table in (CellRow, LakeFileRow, CursorRow, DeadLetterRow):
            write.execute(text(f"DELETE FROM {table.__tablename__}"))
    shutil.rmtree(lake.root, ignore_errors=True)


@settings(max_examples=12)
@given(
    st.lists(STEP, max_size=25),
    st.lists(st.sampled_from(["live", "simulated", "imported"]), min_size=5, max_size=5),
    st.randoms(use_true_random=False),
    st.integers(4, 40),
)
def test_cells_equal_an_independent_count_in_whatever_order_things_come(
    sqlite_database, lake, steps, origins, random, page
):
    wipe(sqlite_database, lake)
    with sqlite_database.write() as write:
        goal = Campaign(key="women", name="Women", surfaces=("home",), goal="purchase")
        campaigns.save(write, goal, at=NOON)
    made, events = scenario(steps, origins)
    logs = [Journal("r0", "log-0"), Journal("r1", "log-1")]
    records = [*made, *events]
    random.shuffle(records)
    for record in records:
        for log in logs if random.random() < 0.2 else [random.choice(logs)]:
            log.write(record)
    for _ in range(2):
        for log in logs:
            pages = Pages({log.replica: log})
            while poll_journal(sqlite_database, lake, target(log), pages, now=lambda: NOON, page=page).more:
                if random.random() < 0.3:
                    break
    for log in logs:
        drain(sqlite_database, lake, log, page=page)
    assert stored(sqlite_database) == truth(sqlite_database, lake)
    before = cell_rows(sqlite_database)
    rebuild(sqlite_database, lake, start=0, end=END, now=NOON)
    assert cell_rows(sqlite_database) == before


def test_late_and_unmatched_events_are_kept_but_not_counted(sqlite_database, lake):
    made = decision(NOON, 1)
    journal = Journal()
    journal.write(made, event(made, "impression", NOON))
    drain(sqlite_database, lake, journal)
    journal.write(
        event(made, "click", NOON + DAY + 1),
        event(made, "click", NOON + 5, item="z"),
        event(None, "click", NOON + 5, event_id="aggregate", stored="aggregate"),
        event(decision(NOON, 9), "click", NOON + 5),
    )
    drain(sqlite_database, lake, journal)
    assert (total(sqlite_database).impressions, total(sqlite_database).clicks) == (1, 0)
    with sqlite_database.read() as read:
        found = {(cell.a, cell.b): cell.impressions for cell in cells.unjoined(read, start=0, end=END)}
        with lake.connect(read) as connection:
            assert connection.execute("SELECT count(*) FROM events").fetchall() == [(5,)]
    assert found == {("click", "late"): 1, ("click", "unmatched"): 2, ("click", "aggregate"): 1}


def test_a_late_outcome_rebuilds_the_cell_of_its_impression(sqlite_database, lake):
    made = decision(NOON, 1)
    journal = Journal()
    journal.write(made, event(made, "impression", NOON + 20 * MINUTE))
    drain(sqlite_database, lake, journal)
    journal.write(event(made, "click", NOON + 20 * HOUR))
    drain(sqlite_database, lake, journal)
    with sqlite_database.read() as read:
        found = {int(cell.a): cell for cell in cells.totals(read, start=0, end=END, by=("start",))}
    assert found[NOON].decisions == 1
    assert (found[NOON + CELL_US].clicks, found[NOON + CELL_US].hit_decisions) == (1, 1)
    assert len(found) == 2


def test_a_change_of_goal_is_counted_back_by_a_rebuild(sqlite_database, lake):
    made = decision(NOON, 1)
    journal = Journal()
    journal.write(made, event(made, "impression", NOON), event(made, "purchase", NOON + 5))
    drain(sqlite_database, lake, journal)
    assert total(sqlite_database).conversions == 0
    with sqlite_database.write() as write:
        campaigns.save(write, Campaign(key="men", name="Men", surfaces=("home",), goal="purchase"), at=NOON)
    rebuild(sqlite_database, lake, start=NOON, end=NOON + HOUR, now=NOON)
    assert (total(sqlite_database).conversions, total(sqlite_database).clicks) == (1, 0)


def test_segments_are_bounded(sqlite_database, lake):
    journal = Journal()
    for number in range(120):
        made = decision(NOON, number, context={'q"uote': f"v{number:03d}"})
        journal.write(made, event(made, "impression", NOON))
    drain(sqlite_database, lake, journal)
    with sqlite_database.read() as read:
        found = cells.by_segment(read, start=0, end=END)
    assert len(found) == 51
    assert {cell.a: cell.impressions for cell in found}['q"uote=other'] == 70
    assert sum(cell.impressions for cell in found) == 120


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
