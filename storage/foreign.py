"""Rows of a database that is not ours, by one statement that may only read."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from storage.errors import Invalid, Unavailable
from storage.tabular import Row

_BATCH = 5_000


def rows(url: str, query: str, *, timeout_s: int) -> Iterator[Row]:
    """Yield the rows of ``query``; nothing is ever committed there.

    Raises
    ------
    Invalid, Unavailable
        If the address or the statement is wrong, or the database does not answer.
    """
    try:
        address = make_url(url)
        driver = address.get_backend_name()
        if driver == "postgresql" and "+" not in address.drivername:
            address = address.set(drivername="postgresql+psycopg")
        engine = create_engine(address, poolclass=NullPool, connect_args=_options(driver, timeout_s))
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError):
        raise Invalid("location: is no SQLAlchemy address of a database whose driver is installed") from None
    try:
        with engine.connect() as connection:
            if driver == "sqlite":
                connection.exec_driver_sql("PRAGMA query_only = ON")
            elif driver == "postgresql":
                connection.exec_driver_sql("SET TRANSACTION READ ONLY")
            found: Any = connection.execute(text(query).execution_options(stream_results=True))
            number = 0
            for batch in found.mappings().partitions(_BATCH):
                for row in batch:
                    number += 1
                    yield number, dict(row)
            connection.rollback()
    except SQLAlchemyError as error:
        raise Unavailable(
            f"the database of the source refused ({type(error).__name__}); try the statement there"
        ) from None
    finally:
        engine.dispose()


def _options(driver: str, timeout_s: int) -> dict[str, Any]:
    if driver == "postgresql":
        return {"connect_timeout": min(timeout_s, 10), "options": f"-c statement_timeout={timeout_s * 1000}"}
    return {"timeout": timeout_s} if driver == "sqlite" else {}
