"""Databases of the pages: with a week in them, with nothing, and without their tables."""

import pytest

from storage.database import Database
from tests.dashboard.browsed import chromium, control, readings, site, watched
from tests.dashboard.filling import fill

__all__ = ["chromium", "control", "readings", "site", "watched"]
"""Fixtures of a real browser."""


@pytest.fixture
def filled(sqlite_database: Database) -> Database:
    """A database with a week in it."""
    fill(sqlite_database)
    return sqlite_database


@pytest.fixture(scope="module")
def week(tmp_path_factory, _sqlite_template):
    path = tmp_path_factory.mktemp("week") / "fairlead.db"
    path.write_bytes(_sqlite_template.read_bytes())
    database = Database(f"sqlite:///{path}")
    fill(database)
    yield database
    database.close()


@pytest.fixture(scope="module")
def blank(tmp_path_factory, _sqlite_template):
    path = tmp_path_factory.mktemp("blank") / "fairlead.db"
    path.write_bytes(_sqlite_template.read_bytes())
    database = Database(f"sqlite:///{path}")
    yield database
    database.close()


@pytest.fixture(scope="module")
def broken(tmp_path_factory):
    """A database that has lost its tables: every reading fails."""
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('broken') / 'fairlead.db'}")
    yield database
    database.close()
