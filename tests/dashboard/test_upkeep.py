"""What ops look after on the System page: findings, what is kept, what was missed, refused events sent again."""

from typing import Any

import pytest
from sqlalchemy import text

from dashboard.queries import upkeep
from storage import scrapes, series
from storage.database import Database
from storage.records.clock import DAY, MINUTE, SECOND
from storage.scrapes import Scrape
from storage.tables.observed import DeadLetterRow, LakeFileRow
from storage.upserts import insert_new
from tests.dashboard.answers import ANSWERS
from tests.dashboard.drawn import run, told
from tests.dashboard.table_control import surroundings
from tests.dashboard.week import NOW, PAYLOAD, window

FINDINGS = [
    {"verdict": "PASS", "check": "keys", "found": PAYLOAD, "remedy": ""},
    {"verdict": "FAIL", "check": "ledger", "found": "the chain is broken", "remedy": PAYLOAD},
]
REQUEUED = {"code": "x", "sent": 3, "taken": 2, "duplicates": 0, "refused": 1, "unreadable": 1, "left": 1}


def file(number: int, **more: Any) -> dict[str, Any]:
    return {
        "path": f"{number}.parquet", "kind": "decisions", "replica": "e", "log": "l", "from_seq": 0, "to_seq": 9,
        "rows": 10 + number, "bytes": 1_000 + number, "min_at": NOW - number * DAY, "max_at": NOW, "origin": "live",
        "sha256": "0", "created_at": NOW - DAY, **more,
    }  # fmt: skip


@pytest.fixture
def held(sqlite_database: Database) -> Database:
    with sqlite_database.write() as write:
        for row in (
            file(1),
            file(190),
            file(3, kind="events"),
            file(400, origin="imported", created_at=NOW - 2 * DAY),
        ):
            insert_new(write, LakeFileRow, row)
        for seq, code in enumerate(("malformed", PAYLOAD, "malformed")):
            letter = {"replica": "e", "log": "l", "seq": seq, "received_at": NOW - seq * DAY, "event_id": None}
            insert_new(write, DeadLetterRow, letter | {"code": code, "field": "type", "reason": "odd", "payload": "{}"})
        scrapes.note(write, Scrape(replica="engine-0", what="metrics", at=NOW - SECOND, result="ok"))
        scrapes.note(write, Scrape(replica="engine-0", what="journal", at=NOW - MINUTE, result="ok", lost=7))
        scrapes.note(write, Scrape(replica="engine-1", what="metrics", at=NOW - 3 * DAY, result="timeout"))
    return sqlite_database


def test_what_is_kept_is_what_the_rows_say(held):
    with held.read() as read:
        found = {one.kept.kind: one for one in upkeep.holdings_of(read, now=NOW).kinds}
        raw = read.all(
            text(
                "SELECT kind, SUM(rows), SUM(bytes), MIN(min_at) FROM lake_files WHERE origin <> 'imported' "
                "GROUP BY kind ORDER BY kind"
            )
        )
    for kind, rows, size, oldest in raw:
        kept = found[kind].kept
        assert (kept.rows, kept.bytes, kept.oldest) == (rows, size, oldest)
    assert found["decisions"].overdue and found["decisions"].days == 180
    assert not found["events"].overdue
    imported = found["decisions of imports"]
    assert (imported.kept.rows, imported.kept.oldest, imported.overdue) == (410, NOW - 2 * DAY, False)
    assert found["dead_letters"].kept.rows == 3 and found["dead_letters"].kept.oldest == NOW - 2 * DAY
    assert found["cells"].kept.rows is None and found["cells"].kept.oldest is None


def test_sources_are_in_time_late_or_gone(held):
    with held.read() as read:
        found = upkeep.collected(read, now=NOW)
    assert [(one.replica, one.what, how) for one, how in found.sources] == [
        ("engine-0", "journal", "late"),
        ("engine-0", "metrics", "in time"),
        ("engine-1", "metrics", "gone"),
    ]


def test_gaps_of_the_last_day_add_up(week):
    with week.read() as read:
        found = upkeep.collected(read, now=NOW)
        raw = series.gaps(read, NOW - DAY, NOW - MINUTE)
    assert [(gap.start, gap.end) for gap in found.gaps] == [(gap.start, gap.end) for gap in raw]
    assert found.missing_us == sum(gap.end - gap.start for gap in raw)


def test_a_gap_says_whether_it_may_still_be_read(sqlite_database):
    with sqlite_database.write() as write:
        scrapes.note(write, Scrape(replica="engine-0", what="metrics", at=NOW, result="ok"))
        for seq in (0, 1, 100, 101):
            series.store(write, "t0", window(seq))
    app = run("system", surroundings(sqlite_database))
    assert not app.exception
    (gaps,) = [frame.value for frame in app.dataframe if "backfill" in frame.value]
    assert all(
        word in {"may still be read", "not whole: nobody holds these windows any more"} for word in gaps["backfill"]
    )


def test_the_doctor_is_asked_when_somebody_asks(week):
    context = surroundings(week, answers={**ANSWERS, "/system/doctor": {"at": NOW, "findings": FINDINGS}})
    app = run("system", context)
    assert "Nobody asked the doctor yet" in told(app)
    assert not any(path == "/system/doctor" for path, _ in context.control.asked)
    app.button(key="examine").click().run()
    assert "1 of 2 findings are fine" in told(app) and PAYLOAD not in told(app)
    (shown,) = [frame.value for frame in app.dataframe if "what to do" in frame.value]
    assert shown["check"].tolist() == ["ledger", "keys"]


def test_the_page_says_what_is_kept_missed_and_unknown(held):
    app = run("system", surroundings(held, answers={**ANSWERS, "/system": {**ANSWERS["/system"], "lake_bytes": 100}}))
    assert not app.exception
    assert "Backups and restore tests: unknown" in told(app)
    (kept,) = [frame.value for frame in app.dataframe if "kept for" in frame.value]
    assert dict(zip(kept["kind"], kept[""], strict=True))["decisions"] == "should be gone"
    assert "of 100B" in told(app)


def test_refused_events_of_one_kind_are_sent_again(held):
    context = surroundings(held, answers={**ANSWERS, "/system/dead-letters/requeue": REQUEUED})
    app = run("system", context)
    app.text_input(key="requeue-reason").set_value("the type is declared")
    app.button(key="FormSubmitter:requeue-form-Requeue").click().run()
    assert ("/system/dead-letters/requeue", {"code": "malformed", "reason": "the type is declared"}) in [
        (path, dict(body)) for path, body in context.control.given
    ]
    assert "Sent 3: 2 stored" in told(app) and PAYLOAD not in told(app)
