"""The schema goes up and down on both databases, and ends equal to the tables."""

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from storage import migrations
from storage.database import Database
from storage.errors import Full, Unavailable
from storage.tables import TABLES

NAMES = {row.__tablename__ for row in TABLES}


@pytest.fixture(params=["sqlite", "postgresql"])
def fresh(request: pytest.FixtureRequest, home: Path) -> Iterator[Database]:
    url = f"sqlite:///{home / 'fresh.db'}" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    database = Database(url)
    yield database
    database.close()


def tables(database: Database) -> set[str]:
    with database.engine.connect() as connection:
        return set(inspect(connection).get_table_names()) - {"alembic_version"}


def test_up_and_down_and_up_again(fresh: Database) -> None:
    assert not migrations.is_current(fresh)
    migrations.upgrade(fresh)
    assert migrations.is_current(fresh)
    assert tables(fresh) == NAMES
    migrations.downgrade(fresh, "0001")
    assert not migrations.is_current(fresh)
    migrations.downgrade(fresh, "base")
    assert tables(fresh) == set()
    migrations.upgrade(fresh)
    migrations.upgrade(fresh)
    assert tables(fresh) == NAMES


def test_the_schema_equals_the_tables(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": False})
        assert compare_metadata(context, TABLES[0].metadata) == []


def test_two_processes_upgrade_at_once(fresh: Database) -> None:
    errors: list[BaseException] = []

    def run() -> None:
        try:
            migrations.upgrade(fresh)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert migrations.is_current(fresh)


def test_a_full_disk_leaves_the_schema_as_it_was(home: Path) -> None:
    from sqlalchemy import event

    database = Database(f"sqlite:///{home / 'full.db'}")

    @event.listens_for(database.engine, "connect")
    def small(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA max_page_count=20")

    with pytest.raises(Full):
        migrations.upgrade(database)
    assert tables(database) == set()
    database.close()


def test_a_database_that_is_away_is_unavailable() -> None:
    database = Database("postgresql://nobody@127.0.0.1:1/none", timeout_s=1)
    with pytest.raises(Unavailable):
        migrations.upgrade(database)
    with pytest.raises(Unavailable):
        migrations.is_current(database)
    database.close()
