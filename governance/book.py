"""One control action is one transaction: the state, its ledger entry, its revision; refusals are entered too."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from governance.snapshot import compile_snapshot
from governance.warrants import Warrant
from storage import idempotency, ledger, revisions
from storage.database import Database, Write
from storage.errors import Conflict, FairleadError, Forbidden, NeedsApproval, Unauthenticated
from storage.keys import Keys

T = TypeVar("T")

_REFUSALS = (Forbidden, NeedsApproval, Conflict)
_MAX_KEY = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed(Generic[T]):
    """What a transaction did, and what the ledger says of it."""

    answer: T
    before: Any = None
    after: Any = None
    revision: int | None = None
    action: str | None = None
    object_kind: str | None = None
    object_key: str | None = None
    four_eyes: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """What an action is about, as the ledger names it."""

    action: str
    object_kind: str
    object_key: str


class Book:
    """Runs actions one at a time, so that each revision holds everything before it.

    Parameters
    ----------
    database, keys, environment, solo, now
        As for ``Control``.
    """

    def __init__(self, database: Database, keys: Keys, *, environment: str, solo: bool, now: Callable[[], int]) -> None:
        self.database = database
        self.keys = keys
        self.environment = environment
        self.solo = solo
        self.now = now

    def publish(self, write: Write, at: int) -> int:
        """Publish the state as this transaction leaves it; return the revision."""
        snapshot = compile_snapshot(write, at=at, environment=self.environment)
        return revisions.publish(write, snapshot).revision

    def enter(self, matter: Matter, warrant: Warrant, body: Callable[[Write, int], Deed[T]]) -> tuple[T, int]:
        """Run ``body`` in one transaction and append what it did; return its answer and the entry's number.

        A refusal rolls everything back and is appended as ``denied``. Where the ledger cannot be written, nothing is.
        """
        try:
            with self.database.write() as write:
                write.next_number("control")
                if warrant.attempt is not None:
                    idempotency.claim(write, warrant.attempt)
                at = self.now()
                deed = body(write, at)
                entry = ledger.append(
                    write,
                    self.keys,
                    at=at,
                    actor=warrant.by.name,
                    action=deed.action or matter.action,
                    object_kind=deed.object_kind or matter.object_kind,
                    object_key=(deed.object_key or matter.object_key)[:_MAX_KEY],
                    before=deed.before,
                    after=deed.after,
                    reason=warrant.reason,
                    four_eyes=not self.solo if deed.four_eyes is None else deed.four_eyes,
                    revision=deed.revision,
                    request_id=warrant.request_id,
                )
            return deed.answer, entry.seq
        except Unauthenticated:
            raise
        except _REFUSALS as refusal:
            self.deny(matter, warrant, refusal)
            raise

    def deny(self, matter: Matter, warrant: Warrant, refusal: FairleadError) -> None:
        """Enter an attempt that was refused."""
        with self.database.write() as write:
            ledger.append(
                write,
                self.keys,
                at=self.now(),
                actor=warrant.by.name,
                action=matter.action,
                object_kind=matter.object_kind,
                object_key=matter.object_key[:_MAX_KEY],
                before=None,
                after={"code": refusal.code, "refused": str(refusal)},
                reason=warrant.reason,
                result="denied",
                four_eyes=not self.solo,
                request_id=warrant.request_id,
            )
