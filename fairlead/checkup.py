"""What ``fairlead doctor`` looks at: one function a check, all in one table."""

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

import httpx

from fairlead import __version__
from fairlead.settings import Loaded, Settings
from fairlead.wiring import Store, ensure_home, open_existing
from storage.errors import FairleadError
from storage.records import clock

LOW_DISK = 1 << 30
SKEW_WARN_S, SKEW_FAIL_S = 2.0, 30.0
FRESH_S = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the doctor's report."""

    verdict: Literal["PASS", "WARN", "FAIL"]
    check: str
    found: str
    remedy: str = ""

    def plain(self) -> dict[str, str]:
        """Return its JSON form."""
        return asdict(self)


Check = Callable[[Settings, Store], Iterator[Finding]]


def _good(check: str, found: str) -> Finding:
    return Finding(verdict="PASS", check=check, found=found)


def _versions() -> Iterator[Finding]:
    python = ".".join(map(str, sys.version_info[:3]))
    yield _good("versions", f"fairlead {__version__}, Python {python}")
    try:
        pair = f"evidently {version('evidently')}, pandas {version('pandas')}"
    except PackageNotFoundError as error:
        yield Finding(
            verdict="WARN",
            check="audits",
            found=f"{error.name} is not installed",
            remedy="pip install 'fairlead[audits]'",
        )
    else:
        fits = version("pandas").startswith("3.0.")
        remedy = "" if fits else "Evidently 0.7 needs pandas 3.0: pip install 'pandas>=3.0.6,<3.1'"
        yield Finding(verdict="PASS" if fits else "FAIL", check="audits", found=pair, remedy=remedy)


def _configuration(loaded: Loaded) -> Iterator[Finding]:
    changed = {key: origin for key, origin in loaded.origins.items() if origin != "default"}
    found = ", ".join(f"{key} from {origin}" for key, origin in changed.items()) or "every key has its default"
    yield _good("configuration", found)


def _disk(settings: Settings) -> Iterator[Finding]:
    if not settings.home.exists():
        return  # that nothing is installed there is a finding of its own
    try:
        ensure_home(settings.home)
    except FairleadError as error:
        yield Finding(verdict="FAIL", check="home", found=str(error), remedy="set FAIRLEAD_HOME to a writable folder")
        return
    free = shutil.disk_usage(settings.home).free
    text = f"{settings.home}, {free / (1 << 30):.1f} GiB free"
    low = free < LOW_DISK
    yield Finding(verdict="WARN" if low else "PASS", check="home", found=text, remedy="free some space" if low else "")


def _database(_settings: Settings, store: Store) -> Iterator[Finding]:
    from sqlalchemy import text

    begin = time.perf_counter()
    with store.database.write() as write:
        mode = None
        if write.dialect == "sqlite":
            mode = write.execute(text("PRAGMA synchronous")).scalar_one()
        dialect = write.dialect
    took = (time.perf_counter() - begin) * 1000
    if mode not in {None, 2}:
        yield Finding(
            verdict="FAIL",
            check="database",
            found=f"synchronous is {mode}, not FULL: a power cut may lose acknowledged writes",
            remedy="do not change the database's pragmas",
        )
        return
    yield _good("database", f"{dialect}, schema current, written and read in {took:.1f} ms")


def _keys(settings: Settings, _store: Store) -> Iterator[Finding]:
    open_to_others = [path.name for path in (settings.home / "keys").iterdir() if path.stat().st_mode & 0o077]
    if open_to_others:
        yield Finding(
            verdict="FAIL",
            check="keys",
            found=f"others may read {', '.join(sorted(open_to_others))}",
            remedy=f"chmod 600 {settings.home / 'keys'}/*",
        )
        return
    yield _good("keys", "readable by their owner only; tokens carry 256 random bits and are kept as hashes")


def _redis(settings: Settings, _store: Store) -> Iterator[Finding]:
    if settings.redis is None:
        yield _good("redis", "not used: what is known of people is kept in each engine's memory")
        return
    import redis

    client = redis.Redis.from_url(settings.redis, socket_timeout=0.5, socket_connect_timeout=0.5)
    begin = time.perf_counter()
    try:
        client.ping()
    except redis.RedisError as error:
        yield Finding(
            verdict="FAIL",
            check="redis",
            found=f"does not answer ({type(error).__name__})",
            remedy="start it, or correct FAIRLEAD_REDIS_URL; engines serve without features until then",
        )
    else:
        yield _good("redis", f"answers in {(time.perf_counter() - begin) * 1000:.1f} ms; engines wait 50 ms at most")


def _control(settings: Settings, _store: Store) -> Iterator[Finding]:
    try:
        ok = httpx.get(f"{settings.control}/healthz", timeout=2.0, trust_env=False).status_code == 200
    except httpx.HTTPError:
        ok = False
    remedy = "" if ok else "fairlead up, or fairlead control; engines go on without it"
    found = f"{'answers' if ok else 'does not answer'} at {settings.control}"
    yield Finding(verdict="PASS" if ok else "WARN", check="control", found=found, remedy=remedy)


def _replicas(_settings: Settings, store: Store) -> Iterator[Finding]:
    from storage import receipts
    from storage.keys import read_token

    now = clock.now()
    with store.database.read() as read:
        seen = receipts.registered(read, now, FRESH_S * clock.SECOND)
    if not seen:
        yield Finding(
            verdict="WARN",
            check="replicas",
            found="no engine reported lately",
            remedy="fairlead up, or fairlead engine",
        )
    token = read_token(store.home, "collector") or ""
    for receipt in seen:
        check = f"replica {receipt.replica}"
        begin, sent = time.perf_counter(), clock.now()
        try:
            answer = httpx.get(
                f"{receipt.url}/metrics", headers={"Authorization": f"Bearer {token}"}, timeout=3.0, trust_env=False
            )
        except httpx.HTTPError as error:
            remedy = f"see whether {receipt.url} can be reached from here"
            yield Finding(verdict="FAIL", check=check, found=f"no scrape ({type(error).__name__})", remedy=remedy)
            continue
        took = (time.perf_counter() - begin) * 1000
        skew = abs(sent - receipt.at) / clock.SECOND
        if answer.status_code != 200:
            remedy = "restore keys/collector.token, or restart control to mint it again"
            yield Finding(verdict="FAIL", check=check, found=f"scrape answered {answer.status_code}", remedy=remedy)
        elif skew > SKEW_WARN_S:
            yield Finding(
                verdict="FAIL" if skew > SKEW_FAIL_S else "WARN",
                check=check,
                found=f"its last report is {skew:.1f} s away from this clock",
                remedy="synchronise the clocks, or see why it reports late",
            )
        else:
            state = "ready" if receipt.ready else "not ready"
            yield _good(check, f"{state}, revision {receipt.revision}, scraped in {took:.0f} ms")


def _schedule(_settings: Settings, store: Store) -> Iterator[Finding]:
    from storage import heartbeats

    with store.database.read() as read:
        beats = heartbeats.heartbeats(read)
    now = clock.now()
    bad = [beat for beat in beats if beat.error or beat.late(now)]
    if not beats:
        yield Finding(verdict="WARN", check="schedule", found="never ran", remedy="fairlead up, or fairlead control")
    for beat in bad:
        found = f"{beat.name}: {beat.error or 'late'}"
        yield Finding(verdict="WARN", check="schedule", found=found, remedy="see run/control.log in the home folder")
    if beats and not bad:
        yield _good("schedule", f"{len(beats)} tasks run on time")


def _ledger(_settings: Settings, store: Store) -> Iterator[Finding]:
    from storage import ledger

    with store.database.read() as read:
        found = ledger.verify(read, keys=store.keys, anchors=store.anchors)
    if found.ok:
        yield _good("ledger", f"{found.entries} entries, the chain holds, anchored to {found.anchored_to}")
        return
    yield Finding(
        verdict="FAIL",
        check="ledger",
        found=f"{found.reason} (first bad: {found.first_bad})",
        remedy="keep the database and the anchors as they are, and find out who wrote to them",
    )


CHECKS: tuple[Check, ...] = (_database, _keys, _redis, _control, _replicas, _schedule, _ledger)


def examine(loaded: Loaded) -> list[Finding]:
    """Run every check; one that cannot run is a finding of its own."""
    settings = loaded.settings
    found = [*_versions(), *_configuration(loaded), *_disk(settings)]
    if os.environ.get("DO_NOT_TRACK") not in {None, "", "0"}:
        found.append(_good("telemetry", "off"))
    try:
        store = open_existing(settings)
    except FairleadError as error:
        return [*found, Finding(verdict="FAIL", check="installation", found=str(error), remedy="fairlead up")]
    found += _checked(settings, store)
    store.database.close()
    return found


def examine_running(settings: Settings, store: Store) -> list[Finding]:
    """Run the checks from within a running process, on the store that it holds open."""
    return [*_versions(), *_disk(settings), *_checked(settings, store)]


def _checked(settings: Settings, store: Store) -> Iterator[Finding]:
    for check in CHECKS:
        try:
            yield from check(settings, store)
        except FairleadError as error:
            name = check.__name__.strip("_")
            yield Finding(verdict="FAIL", check=name, found=str(error), remedy="see run/control.log")
