"""Insert or replace many rows in one statement, the same on SQLite and PostgreSQL."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel

from storage.database import Write

_INSERT = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def upsert(write: Write, table: type[SQLModel], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows; one whose primary key is taken replaces the one that holds it."""
    if rows:
        target: Any = table.__table__  # type: ignore[attr-defined]  # set on every mapped class
        keys = [column.name for column in target.primary_key]
        statement: Any = _INSERT[write.dialect](target)
        values = {name: statement.excluded[name] for name in rows[0] if name not in keys}
        write.execute(statement.on_conflict_do_update(index_elements=keys, set_=values), list(rows))


def insert_new(write: Write, table: type[SQLModel], row: Mapping[str, Any]) -> bool:
    """Insert one row unless its key is taken; tell whether it was inserted."""
    target: Any = table.__table__  # type: ignore[attr-defined]  # set on every mapped class
    statement: Any = _INSERT[write.dialect](target)
    key = next(iter(target.primary_key))
    inserted: bool = write.execute(statement.on_conflict_do_nothing().returning(key), dict(row)).first() is not None
    return inserted
