"""Cells equal an independent count in whatever order things come."""

import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from collectors.cells import rebuild
from collectors.journal import poll_journal
from storage import campaigns, cells
from storage.cells import CELL_US
from storage.database import Database
from storage.lake import Lake
from storage.records.campaigns import Campaign
from storage.records.clock import DAY, HOUR, MINUTE, SECOND
from storage.tables.observed import CellRow, CursorRow, DeadLetterRow, LakeFileRow
from tests.collectors.drained import END, cell_rows, drain, total
from tests.collectors.journals import NOON, Journal, Pages, decision, event, target


@pytest.fixture
def lake(home):
    return Lake(home / "lake")


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
