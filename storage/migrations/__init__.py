"""Schema of the control database by numbered steps, up and down, on SQLite and PostgreSQL."""

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from storage.database import Database, translate

_ADVISORY_LOCK = 0x666C_6462


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _migrate(database: Database, step: Callable[[Config], None]) -> None:
    """Run ``step`` in one transaction: all of it or nothing, and one process at a time."""
    try:
        with database.engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
            step(_config(connection))
    except DBAPIError as error:
        raise translate(error) from error


def upgrade(database: Database, to: str = "head") -> None:
    """Bring the schema up to ``to``; running it again changes nothing.

    Raises
    ------
    Unavailable, Full
        As the database answers; the schema is then as it was.
    """
    _migrate(database, lambda config: command.upgrade(config, to))


def downgrade(database: Database, to: str = "base") -> None:
    """Take the schema down to ``to``; what the removed tables held is gone.

    Raises
    ------
    Unavailable, Full
        As the database answers; the schema is then as it was.
    """
    _migrate(database, lambda config: command.downgrade(config, to))


def is_current(database: Database) -> bool:
    """Tell whether the schema stands at the newest step.

    Raises
    ------
    Unavailable
        If the database does not answer.
    """
    try:
        with database.engine.connect() as connection:
            heads = MigrationContext.configure(connection).get_current_heads()
    except DBAPIError as error:
        raise translate(error) from error
    return set(heads) == set(ScriptDirectory.from_config(_config()).get_heads())
