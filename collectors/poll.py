"""The metric poller: windows by their key, once each, from replicas that are who they say they are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import orjson

from collectors.client import Client, Failure
from collectors.targets import Target
from collectors.windows import Answer, read_windows
from storage.cursors import advance, position
from storage.database import Database
from storage.records.clock import SECOND
from storage.records.metrics import Window
from storage.scrapes import Scrape, note
from storage.series import store
from storage.tiers import LATEST_US

SKEW_US = 2 * SECOND
CONFIRMATIONS = 2
_REMEMBERED = 64
_AT_ONCE = 30


@dataclass(frozen=True, slots=True)
class Position:
    """How far a replica's windows were read: after which, from which boot, and which boots came before it."""

    after: str = ""
    boot_id: str = ""
    earlier: tuple[str, ...] = field(default=())

    @classmethod
    def read(cls, text: str | None) -> "Position":
        """Return the position that ``text`` spells."""
        if text is None:
            return cls()
        after, boot_id, earlier = orjson.loads(text)
        return cls(after, boot_id, tuple(earlier))

    def spelled(self) -> str:
        """Return the position as text."""
        return orjson.dumps([self.after, self.boot_id, self.earlier]).decode()

    def within(self, boot_id: str) -> "Position":
        """Return the position once ``boot_id`` speaks."""
        if boot_id == self.boot_id:
            return self
        earlier = (*self.earlier, self.boot_id) if self.boot_id else self.earlier
        return Position(self.after, boot_id, earlier[-_REMEMBERED:])


def poll_metrics(
    database: Database, target: Target, client: Client, *, now: Callable[[], int], fence: int | None = None
) -> Scrape:
    """Ask one replica for the windows after the last one stored, and store them.

    The key of a window is (replica, boot, seq), so asking again changes nothing. A boot that was not heard before must
    answer twice more in a row, and one that was left must not come back: behind a load balancer boots alternate, and
    then nothing is stored. Windows older than 47 hours are refused.

    Raises
    ------
    Conflict
        If another instance leads meanwhile; nothing is stored then.
    Unavailable
        If the database does not answer.
    """
    name = f"metrics:{target.replica}"
    with database.read() as read:
        text = position(read, name)
    before = Position.read(text)
    asked = now()
    answer = _ask(client, target, before.after)
    received = now()
    problem = answer if isinstance(answer, Failure) else _identity(client, target, before, answer)
    if problem is not None:
        failed = Scrape(
            replica=target.replica, what="metrics", at=received, result=problem.result, detail=problem.detail
        )
        with database.write() as write:
            note(write, failed)
        return failed
    assert isinstance(answer, Answer)  # noqa: S101  # a Failure is a problem
    skew = answer.now - (asked + received) // 2
    scrape = Scrape(
        replica=target.replica,
        what="metrics",
        at=received,
        result="ok",
        skew_us=skew,
        rejected=_store(database, name, text, answer, flags="skew" if abs(skew) > SKEW_US else "", fence=fence),
    )
    with database.write() as write:
        note(write, scrape)
    return scrape


def _ask(client: Client, target: Target, after: str) -> Answer | Failure:
    body = client.get(
        f"{target.url}/v1/metrics/windows", params={"after": after} if after else {}, accept="application/json"
    )
    return body if isinstance(body, Failure) else read_windows(body)


def _identity(client: Client, target: Target, before: Position, answer: Answer) -> Failure | None:
    """Return why the one who answered cannot be the one who was asked, None if it can."""
    if answer.replica != target.replica or any(window.replica != target.replica for window in answer.windows):
        return Failure(result="identity", detail="another replica answers under this address")
    if answer.boot_id in before.earlier:
        return Failure(result="identity", detail="boots alternate under this address: is it a load balancer?")
    if answer.boot_id != before.boot_id:
        for _ in range(CONFIRMATIONS):
            again = _ask(client, target, before.after)
            if isinstance(again, Failure):
                return again
            if (again.replica, again.boot_id) != (answer.replica, answer.boot_id):
                return Failure(result="identity", detail="boots alternate under this address: is it a load balancer?")
    return None


def _store(
    database: Database, name: str, text: str | None, answer: Answer, *, flags: str, fence: int | None
) -> dict[str, int]:
    """Store an answer's windows, some at a time so that no write is long; return what was refused."""
    rejected = dict(answer.rejected)
    fresh: list[Window] = [window for window in answer.windows if window.start >= answer.now - LATEST_US]
    if len(fresh) < len(answer.windows):
        rejected["late"] = len(answer.windows) - len(fresh)
    where = Position.read(text).within(answer.boot_id)
    chunks: list[Sequence[Window]] = [fresh[first : first + _AT_ONCE] for first in range(0, len(fresh), _AT_ONCE)]
    for chunk in chunks or [()]:
        if chunk:
            last = chunk[-1]
            where = Position(f"{last.boot_id}:{last.seq}", where.boot_id, where.earlier)
        elif where.spelled() == text:
            break
        with database.write() as write:
            for window in chunk:
                store(write, "t0", window, flags=flags, fence=fence or 0)
            advance(write, name, before=text, after=where.spelled(), fence=fence)
        text = where.spelled()
    return rejected
