"""The database's border: what it refuses comes out as the house's errors, and nothing is half done."""

import os
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event, text

from storage import counters
from storage import database as database_module
from storage.anchors import Anchors
from storage.database import Database
from storage.errors import Conflict, Full, TooSlow, Unavailable
from storage.eventlog.embedded import EmbeddedLog
from storage.keys import Keys, write_token
from storage.tables.control import CounterRow, SettingRow

NOBODY = 65_534


def count(database: Database) -> int:
    with database.read() as read:
        found: int = read.first(text("SELECT COUNT(*) FROM settings"))[0]
        return found


def test_a_block_that_raises_changes_nothing(database: Database) -> None:
    with pytest.raises(RuntimeError), database.write() as write:
        write.add(SettingRow(key="a", document=b"1"))
        write.flush()
        raise RuntimeError
    assert count(database) == 0


def test_a_reader_commits_nothing(database: Database) -> None:
    with database.read() as read:
        read._session.add(SettingRow(key="a", document=b"1"))
        read._session.flush()
    assert count(database) == 0


def test_a_row_that_is_there_already_is_a_conflict(database: Database) -> None:
    for _ in range(2):
        with database.write() as write:
            write.merge(SettingRow(key="a", document=b"1"))
    with pytest.raises(Conflict), database.write() as write:
        write.add(SettingRow(key="a", document=b"2"))
    assert count(database) == 1


def test_numbers_are_given_once_and_only_when_committed(database: Database) -> None:
    got: list[int] = []

    def take(number: int) -> None:
        for i in range(20):
            try:
                with database.write() as write:
                    taken = write.next_number("n")
                    if i % 5 == number:
                        raise RuntimeError
                got.append(taken)
            except RuntimeError:
                pass

    threads = [threading.Thread(target=take, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == list(range(1, 65))
    with database.read() as read:
        assert read.get(CounterRow, "n").value == 64  # type: ignore[union-attr]  # it is there


COUNTING = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) SELECT count(*) FROM n"


def test_a_reading_that_takes_too_long_is_ended_and_the_next_is_served(database: Database) -> None:
    hurried = Database(database.url.render_as_string(hide_password=False), timeout_s=0.5, read_timeout_s=0.5)
    try:
        for _ in range(2):
            with pytest.raises(TooSlow, match="choose a shorter range"), hurried.read() as read:
                read.first(text(COUNTING))
        assert count(hurried) == 0
        assert hurried.glance("SELECT 1") == [(1,)]
    finally:
        hurried.close()


def test_a_full_disk_is_named_and_loses_nothing(sqlite_database: Database) -> None:
    @event.listens_for(sqlite_database.engine, "connect")
    def small(connection: sqlite3.Connection, _record: object) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count={pages + 4}")

    with sqlite_database.write() as write:
        write.add(SettingRow(key="kept", document=b"1"))
    with pytest.raises(Full, match="free some space"), sqlite_database.write() as write:
        write.add(SettingRow(key="also not", document=b"1"))
        write.add(SettingRow(key="big", document=b"x" * 200_000))
    assert count(sqlite_database) == 1
    with sqlite_database.write() as write:
        write.add(SettingRow(key="after", document=b"1"))


def test_every_commit_on_sqlite_is_flushed_to_the_disk(sqlite_database: Database) -> None:
    """R2: WAL alone may lose the last commits on power loss; ``synchronous=FULL`` does not."""
    with sqlite_database.write() as write, sqlite_database.read() as read:
        for session in (write, read):
            assert session.first(text("PRAGMA synchronous"))[0] == 2
            assert session.first(text("PRAGMA journal_mode"))[0] == "wal"


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Make a folder and its files unwritable; root, whom no mode stops, steps down for the time being."""
    paths = [folder, *folder.rglob("*")]
    modes = [path.stat().st_mode for path in paths]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    root = os.geteuid() == 0
    if root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        for path, mode in zip(paths, modes, strict=True):
            path.chmod(mode)


def test_a_read_only_home_is_a_clear_error_everywhere(_sqlite_template: Path) -> None:
    home = Path(tempfile.mkdtemp(prefix="fairlead-home-"))
    shutil.copy(_sqlite_template, home / "fairlead.db")
    database = Database(f"sqlite:///{home / 'fairlead.db'}")
    keys = Keys.open(home / "elsewhere")
    try:
        with read_only(home):
            with pytest.raises(Unavailable), database.write() as write:
                write.add(SettingRow(key="a", document=b"1"))
            with pytest.raises(Unavailable, match=r"log\.db"):
                EmbeddedLog(home / "logs" / "log.db", log_id="l")
            with pytest.raises(Unavailable, match=r"lookup\.key"):
                Keys.open(home)
            with pytest.raises(Unavailable, match=r"admin\.token"):
                write_token(home, "admin", "fl_x")
            anchors = Anchors(home / "anchors" / "anchors.jsonl", keys.signing)
            with pytest.raises(Unavailable, match=r"anchors\.jsonl"):
                anchors._write(b"{}")
    finally:
        database.close()
        shutil.rmtree(home)


def test_a_database_that_is_away_is_unavailable_and_back_without_a_restart(home: Path, _sqlite_template: Path) -> None:
    database = Database(f"sqlite:///{home / 'fairlead.db'}")
    with pytest.raises(Unavailable), database.read() as read:
        read.get(SettingRow, "a")
    database.close()
    shutil.copy(_sqlite_template, home / "fairlead.db")
    assert count(database) == 0
    database.close()


def test_postgres_that_drops_its_connections_is_back_at_once(postgres_database: Database) -> None:
    assert count(postgres_database) == 0
    with pytest.raises(Unavailable), postgres_database.write() as write:
        write.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    with postgres_database.write() as write:
        write.add(SettingRow(key="a", document=b"1"))
    assert count(postgres_database) == 1


def test_a_glance_sees_what_a_session_sees(database: Database) -> None:
    with database.write() as write:
        assert [write.next_number(name) for name in ("revision", "revision", "ledger")] == [1, 2, 1]
        assert counters.glance(database) == {}
    with database.read() as read:
        assert counters.glance(database) == counters.numbers(read) == {"revision": 2, "ledger": 1}


def test_a_glance_at_what_is_not_there_is_the_houses_error(database: Database) -> None:
    with pytest.raises(Unavailable):
        database.glance("SELECT name FROM nowhere")
    assert counters.glance(database) == {}


def test_a_glance_at_a_server_that_hangs_up_tells_no_traceback(
    postgres_database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(Unavailable):
        postgres_database.glance("SELECT pg_terminate_backend(pg_backend_pid())")
    assert caplog.records == []
    assert counters.glance(postgres_database) == {}


def test_a_crowd_of_writers_all_get_their_turn(sqlite_database: Database) -> None:
    def add(number: int) -> None:
        for i in range(5):
            with sqlite_database.write() as write:
                write.next_number("n")
                write.add(SettingRow(key=f"{number}-{i}", document=b"1"))

    with ThreadPoolExecutor(24) as pool:
        list(pool.map(add, range(24)))
    assert count(sqlite_database) == 120


def count_by_writing(database: Database) -> None:
    with database.write() as write:
        write.next_number("n")


def test_who_gets_no_turn_is_told_so_and_the_next_is_served(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "TURN_S", 0.05)
    with ThreadPoolExecutor(1) as pool, sqlite_database.write():
        refused = pool.submit(count_by_writing, sqlite_database).exception()
    assert isinstance(refused, Unavailable) and "too many writers" in str(refused)
    count_by_writing(sqlite_database)
