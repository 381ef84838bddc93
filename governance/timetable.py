"""Changes by the clock: scheduled, applied when due, expired when nobody cared, superseded when overtaken."""

from collections.abc import Callable, Collection
from dataclasses import replace

from governance import rules
from governance.changes import Changes
from governance.kinds import action_of
from governance.warrants import Warrant
from storage import changes
from storage.database import Read, Write
from storage.errors import Conflict, Invalid, NeedsApproval, NotFound
from storage.records.changes import Change

MOST = 1_000
"""Changes looked at in one round."""
_WAITING = ("in_review", "approved", "scheduled")


class Timetable:
    """Moves changes by the clock.

    Parameters
    ----------
    changes
        Does each step with its ledger entry.
    """

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._book = changes.book

    def schedule(self, change_id: str, at: int, warrant: Warrant) -> Change:
        """Let what was approved be applied at an instant by itself; whoever schedules it confirms it now."""

        def plan(write: Write, change: Change, now: int) -> Change:
            action = action_of(change.kind)
            rules.require_scope(warrant.by, action.scope)
            self._changes.require_base(write, action, change)
            rules.require_confirmation(action, change.object_key, self._book.environment, change.level, warrant)
            return rules.scheduled(change, warrant.by, at, now, solo=self._book.solo)

        return self._changes.move("change.schedule", change_id, warrant, plan)

    def due(self, read: Read, now: int) -> list[Change]:
        """Return the scheduled changes whose time has come, the longest due first."""
        waiting = changes.listed(read, states=("scheduled",), limit=MOST)
        return sorted(
            (one for one in waiting if one.apply_at is not None and one.apply_at <= now),
            key=lambda one: (one.apply_at or 0, one.change_id),
        )

    def apply_due(self, warrant: Warrant, guard: Callable[[Read], None]) -> int:
        """Apply what is due; what cannot be done any more is superseded. Return how many were applied."""
        with self._book.database.read() as read:
            waiting = self.due(read, self._book.now())
        done = 0
        for change in waiting:
            action = action_of(change.kind)
            typed = action.confirm(change.object_key, self._book.environment)
            order = replace(warrant, reason=f"scheduled by {change.scheduled_by}: {change.reason}", confirm=typed)
            try:
                self._changes.apply(change.change_id, order, guard=guard)
                done += 1
            except (Conflict, NeedsApproval, NotFound, Invalid) as refusal:
                why = replace(order, reason=f"could not be applied when it was due: {refusal}")
                self._changes.move(
                    "change.expire", change.change_id, why, _closed("superseded", guard, out_of=("scheduled",))
                )
        return done

    def expire(self, warrant: Warrant, guard: Callable[[Read], None]) -> int:
        """Close what waited too long, or whose object changed meanwhile; return how many."""
        with self._book.database.read() as read:
            waiting = changes.listed(read, states=_WAITING, limit=MOST)
            now = self._book.now()
            old = [change for change in waiting if rules.expired(change, now)]
            stale = [change for change in waiting if change not in old and self._moved_on(read, change)]
        for state, rows in (("expired", old), ("superseded", stale)):
            for change in rows:
                self._changes.move("change.expire", change.change_id, warrant, _closed(state, guard, out_of=_WAITING))
        return len(old) + len(stale)

    def _moved_on(self, read: Read, change: Change) -> bool:
        return action_of(change.kind).etag(read, change.object_key) != change.base


def _closed(
    state: str, guard: Callable[[Read], None], *, out_of: Collection[str]
) -> Callable[[Write, Change, int], Change]:
    def close(write: Write, change: Change, at: int) -> Change:
        guard(write)
        if change.state not in out_of:
            raise Conflict(f"this change is {change.state}")
        return replace(change, state=state, updated_at=at)  # type: ignore[arg-type]  # of the states, by the callers

    return close
