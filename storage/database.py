"""The SQL database: read and write sessions as two types, and the only commit in the house."""

import contextlib
import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlmodel import Session

from storage.errors import Conflict, FairleadError, Full, TooSlow, Unavailable

Row = TypeVar("Row")

GRACE_S = 1.0
"""How much longer than the server's own deadline its answer is waited for."""

STRIDE = 10_000
"""After so many steps of its machine SQLite asks whether to go on: within about a millisecond."""

TURN_S = 10.0
"""How long a writer waits for the other writers of its process, in seconds, where only one may write at a time."""


def translate(error: DBAPIError) -> FairleadError:
    """Return the house's error for one of the driver's."""
    cause = str(error.orig).lower()
    if isinstance(error, IntegrityError):
        return Conflict("the database already holds such a row, or holds it changed")
    if "full" in cause or "no space" in cause:
        return Full("no room left on the disk of the database; free some space and try again")
    if "readonly" in cause or "read-only" in cause:
        return Unavailable("the database cannot be written: its file or folder is read-only")
    if "interrupted" in cause or "statement timeout" in cause:
        return TooSlow("the database took longer than it may; choose a shorter range, or try again later")
    return Unavailable("the database does not answer; try again later")


class Read:
    """A session that cannot write."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def all(self, statement: Any) -> Sequence[Any]:
        """Return every result of a select: scalars of a one-column select, tuples of a wider one."""
        rows: Sequence[Any] = self._session.exec(statement).all()
        return rows

    def first(self, statement: Any) -> Any:
        """Return the first result or None."""
        return self._session.exec(statement).first()

    def get(self, row: type[Row], key: Any) -> Row | None:
        """Return a row by primary key or None."""
        return self._session.get(row, key)

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self._session.get_bind().dialect.name


class Write(Read):
    """A session that may write; it is usable wherever reading is asked for, never the reverse."""

    def add(self, *rows: Any) -> None:
        """Insert rows, or save changed ones."""
        self._session.add_all(rows)

    def merge(self, row: Row) -> Row:
        """Insert or replace by primary key."""
        return self._session.merge(row)

    def delete(self, row: Any) -> None:
        """Delete one row."""
        self._session.delete(row)

    def execute(self, statement: Any, parameters: Any = None) -> Any:
        """Run an insert, update or delete statement, once or for a list of parameters."""
        return self._session.execute(statement, parameters)

    def flush(self) -> None:
        """Send pending changes, so that a broken constraint shows here."""
        self._session.flush()

    def next_number(self, name: str, count: int = 1) -> int:
        """Return the next number of a sequence, or the last of the next ``count``. Its row stays locked until commit,
        so numbers appear in commit order and a reader that has seen n has seen all below n."""
        number: int = self._session.execute(
            text(
                "INSERT INTO counters (name, value) VALUES (:name, :count) "
                "ON CONFLICT (name) DO UPDATE SET value = counters.value + :count RETURNING value"
            ),
            {"name": name, "count": count},
        ).scalar_one()
        return number


def _prepare_sqlite(engine: Engine, *, begin: str) -> None:
    @event.listens_for(engine, "connect")
    def connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin_transaction(connection: Any) -> None:
        connection.exec_driver_sql(begin)


def _bound_reading(engine: Engine, *, seconds: float) -> None:
    """End a statement that runs for longer: SQLite has no deadline, but asks now and then whether to go on."""

    @event.listens_for(engine, "connect")
    def connect(connection: Any, record: Any) -> None:
        until = record.info["until"] = [math.inf]
        connection.set_progress_handler(lambda: time.monotonic() > until[0], STRIDE)

    @event.listens_for(engine, "before_cursor_execute")
    def begin(connection: Any, *_: Any) -> None:
        connection.info["until"][0] = time.monotonic() + seconds

    @event.listens_for(engine, "checkin")
    def end(_connection: Any, record: Any) -> None:
        record.info["until"][0] = math.inf


def _bound_waits(engine: Engine, *, seconds: float) -> None:
    """Give up on a server that has gone silent without hanging up.

    The server's own deadline ends a statement that is slow; it ends nothing where the answer never arrives, because
    the machine was replaced or something in between forgot the connection. Whoever waits would then wait for hours.
    """
    import psycopg

    active = psycopg.pq.TransactionStatus.ACTIVE

    class Bounded(psycopg.Connection[Any]):
        def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
            try:
                return super().wait(gen, interval, seconds if timeout is None else timeout)
            except psycopg.OperationalError:
                if self.pgconn.transaction_status == active:
                    self.pgconn.finish()
                raise

    @event.listens_for(engine, "do_connect")
    def connect(_dialect: Any, _record: Any, arguments: Any, options: Any) -> Any:
        return Bounded.connect(*arguments, **options)


class _Turns:
    """One writer after the other. SQLite lets those that wait poll, so that under a crowd some never get their turn;
    within a process they queue here instead."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def __call__(self) -> Iterator[None]:
        if not self._lock.acquire(timeout=TURN_S):
            raise Unavailable("the database has too many writers; try again later")
        try:
            yield
        finally:
            self._lock.release()


class Database:
    """One database by URL: ``sqlite:///path`` or ``postgresql+psycopg://…``.

    Parameters
    ----------
    url
        An SQLAlchemy URL. ``postgres://`` and ``postgresql://`` are read as psycopg 3.
    timeout_s
        How long a connection attempt or a statement may take on PostgreSQL, in seconds. A server that says nothing
        for a second longer is given up.
    read_timeout_s
        How long a reader's statement may take on SQLite, in seconds; None for as long as it takes.
    """

    def __init__(self, url: str, *, timeout_s: float = 10.0, read_timeout_s: float | None = None) -> None:
        for short in ("postgres://", "postgresql://"):
            if url.startswith(short):
                url = "postgresql+psycopg://" + url.removeprefix(short)
        self.url = make_url(url)
        if self.url.get_backend_name() == "sqlite":
            if self.url.database:
                Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
            self._reader = create_engine(self.url, pool_size=8, max_overflow=16)
            self._writer = create_engine(self.url, pool_size=2, max_overflow=16)
            _prepare_sqlite(self._reader, begin="BEGIN")
            _prepare_sqlite(self._writer, begin="BEGIN IMMEDIATE")
            if read_timeout_s is not None:
                _bound_reading(self._reader, seconds=read_timeout_s)
            self._turn: Callable[[], contextlib.AbstractContextManager[None]] = _Turns()
        else:
            options = {
                "connect_timeout": max(1, int(timeout_s)),
                "options": f"-c statement_timeout={int(timeout_s * 1000)} -c timezone=UTC",
                "tcp_user_timeout": int(timeout_s * 1000),
            }
            self._reader = self._writer = create_engine(
                self.url, pool_pre_ping=True, pool_size=8, max_overflow=16, connect_args=options
            )
            _bound_waits(self._writer, seconds=timeout_s + GRACE_S)
            self._turn = contextlib.nullcontext

    @property
    def engine(self) -> Engine:
        """The writing engine, for migrations."""
        return self._writer

    @contextlib.contextmanager
    def _session(self, engine: Engine, wrap: Callable[[Session], Row], *, commit: bool) -> Iterator[Row]:
        try:
            with Session(engine, expire_on_commit=False) as session:
                yield wrap(session)
                if commit:
                    session.commit()
        except DBAPIError as error:  # of closing, too: a connection may be lost after its last answer
            raise translate(error) from error

    @contextlib.contextmanager
    def read(self) -> Iterator[Read]:
        """Open a session for reading; nothing is committed.

        Raises
        ------
        Unavailable
            If the database does not answer.
        """
        with self._session(self._reader, Read, commit=False) as session:
            yield session

    def glance(self, statement: str) -> list[tuple[Any, ...]]:
        """Return the rows of a plain statement, by the driver alone: a tenth of a session's cost, for what is read many
        times a second.

        Raises
        ------
        Unavailable
            If the database does not answer.
        """
        driver = self._reader.dialect.loaded_dbapi.Error
        try:
            connection = self._reader.raw_connection()
            try:
                cursor = connection.cursor()
                cursor.execute(statement)
                return [tuple(row) for row in cursor.fetchall()]
            except driver as error:
                connection.invalidate(error)  # it may be lost, and the pool would tell a traceback of rolling it back
                raise
            finally:
                connection.close()
        except (DBAPIError, driver) as error:
            raise Unavailable("the database does not answer; try again later") from error

    @contextlib.contextmanager
    def write(self) -> Iterator[Write]:
        """Open one transaction; it commits when the block ends and rolls back when the block raises.

        Raises
        ------
        Conflict, Full, Unavailable
            As the database answers.
        """
        with self._turn(), self._session(self._writer, Write, commit=True) as session:
            yield session

    def close(self) -> None:
        """Close all connections."""
        self._reader.dispose()
        self._writer.dispose()
