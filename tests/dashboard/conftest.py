"""A database with a week in it."""

import pytest

from storage.database import Database
from tests.dashboard.filling import fill


@pytest.fixture
def filled(sqlite_database: Database) -> Database:
    """A database with a week in it."""
    fill(sqlite_database)
    return sqlite_database
