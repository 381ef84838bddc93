"""Gated rollouts as they are steered: by the clock, by what a look found, and by people, never past the rules."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

from governance import rules
from governance.actions import found
from governance.book import Book, Deed, Matter
from governance.policies import RolloutPlan, after_stop, head_of, plain
from governance.warrants import Warrant, require_reason
from storage import policies, rollouts
from storage.database import Read, Write
from storage.errors import Conflict, Forbidden
from storage.policies import PolicyHead
from storage.records.access import Scope
from storage.records.document import dump
from storage.records.rollouts import GatedRollout, Look, RolloutState, StepMark

Verb = Literal["pause", "resume", "let_go", "roll_back"]
_FROM: dict[Verb, tuple[RolloutState, ...]] = {
    "pause": ("running", "asking"),
    "resume": ("paused",),
    "let_go": ("asking",),
    "roll_back": ("running", "paused", "asking"),
}
_SCOPES: dict[Verb, Scope] = {"let_go": Scope.POLICY_APPROVE}
_ENDED: tuple[RolloutState, ...] = ("done", "rolled_back", "superseded")
QUIET_US = 60_000_000
"""How long a look that says what the one before said need not be kept."""


def in_force(head: PolicyHead, rollout: GatedRollout) -> bool:
    """Tell whether a policy is where its gated rollout left it: nobody moved it by hand."""
    out = head.rollout
    return (
        out is not None
        and out.version == rollout.plan.version
        and out.percent == rollout.percent
        and dict(out.segment) == dict(rollout.plan.segment)
    )


class Rollouts:
    """Steers gated rollouts; each step is one transaction with its ledger entry and its revision.

    Parameters
    ----------
    book
        Runs each action as one transaction with its ledger entry.
    """

    def __init__(self, book: Book) -> None:
        self._book = book

    def command(self, rollout_id: str, verb: Verb, warrant: Warrant) -> GatedRollout:
        """Pause, resume, let the last step go, or take back, as a person says. Taking back is never blocked; letting
        the last step go is not for the author, unless solo."""

        def body(write: Write, at: int) -> Deed[GatedRollout]:
            rules.require_scope(warrant.by, _SCOPES.get(verb, Scope.POLICY_APPLY))
            require_reason(warrant)
            rollout: GatedRollout = found(rollouts.find(write, rollout_id), "rollout")
            if rollout.state not in _FROM[verb]:
                raise Conflict(f"this rollout is {rollout.state.replace('_', ' ')}")
            author = rules.person(rollout.author)
            if verb == "let_go" and not self._book.solo and rules.person(warrant.by.name) == author:
                raise Forbidden("nobody lets their own rollout go to everyone")
            head = head_of(write, rollout.policy)
            if not in_force(head, rollout):
                return self._end(write, rollout, head, "superseded", note="it was moved by hand", at=at)
            if verb == "roll_back":
                return self._back(write, rollout, head, warrant.reason, at)
            if verb == "let_go":
                return self._advance(write, rollout, head, warrant.reason, at)
            state: RolloutState = "paused" if verb == "pause" else "running"
            after = replace(rollout, state=state, note=warrant.reason, green_at=None, updated_at=at)
            rollouts.save(write, after)
            return Deed(answer=after, before={"state": rollout.state}, after={"state": state})

        return self._enter(f"rollout.{verb}", rollout_id, warrant, body)

    def follow(self, look: Look, warrant: Warrant, *, guard: Callable[[Read], None]) -> GatedRollout:
        """Do what a look says, and keep it: steps in the ledger, what only holds beside it."""
        if look.step == "hold":
            return self._hold(look, guard)

        def body(write: Write, at: int) -> Deed[GatedRollout]:
            guard(write)
            rollout = self._same(write, look)
            head = head_of(write, rollout.policy)
            if not in_force(head, rollout):
                return self._end(write, rollout, head, "superseded", note="it was moved by hand", at=at)
            rollouts.keep(write, replace(look, seq=rollouts.next_seq(write, look.rollout_id)))
            if look.step == "roll_back":
                return self._back(write, rollout, head, look.reason, at)
            if look.step == "advance":
                return self._advance(write, rollout, head, look.reason, at)
            if look.step == "finish":
                return self._end(write, rollout, head, "done", note=look.reason, at=at)
            after = replace(rollout, state="asking", note=look.reason, green_at=look.green_at, updated_at=at)
            rollouts.save(write, after)
            return Deed(answer=after, before={"state": rollout.state}, after={"state": "asking"})

        return self._enter(f"rollout.{look.step}", look.rollout_id, warrant, body)

    def supersede(self, rollout_id: str, warrant: Warrant, *, guard: Callable[[Read], None]) -> GatedRollout:
        """End a rollout whose policy was moved by hand; what was done by hand stays."""

        def body(write: Write, at: int) -> Deed[GatedRollout]:
            guard(write)
            rollout: GatedRollout = found(rollouts.find(write, rollout_id), "rollout")
            head = head_of(write, rollout.policy)
            return self._end(write, rollout, head, "superseded", note="its policy was moved by hand", at=at)

        return self._enter("rollout.supersede", rollout_id, warrant, body)

    def _enter(
        self, action: str, rollout_id: str, warrant: Warrant, body: Callable[[Write, int], Deed[GatedRollout]]
    ) -> GatedRollout:
        matter = Matter(action=action, object_kind="rollout", object_key=rollout_id)
        return self._book.enter(matter, warrant, body)[0]

    def _same(self, write: Write, look: Look) -> GatedRollout:
        rollout: GatedRollout = found(rollouts.find(write, look.rollout_id), "rollout")
        if rollout.state in _ENDED or rollout.percent != look.percent:
            raise Conflict("this rollout moved on since it was looked at")
        return rollout

    def _hold(self, look: Look, guard: Callable[[Read], None]) -> GatedRollout:
        with self._book.database.write() as write:
            write.next_number("control")
            guard(write)
            rollout = self._same(write, look)
            last = next(iter(rollouts.looks(write, look.rollout_id, limit=1)), None)
            if last is None or _says(last) != _says(look) or look.at - last.at >= QUIET_US:
                rollouts.keep(write, replace(look, seq=rollouts.next_seq(write, look.rollout_id)))
            after = replace(rollout, green_at=look.green_at, note=look.reason, updated_at=look.at)
            rollouts.save(write, after)
        return after

    def _advance(
        self, write: Write, rollout: GatedRollout, head: PolicyHead, reason: str, at: int
    ) -> Deed[GatedRollout]:
        ahead = rollout.ahead
        if ahead is None:
            raise Conflict("this rollout is on its last step")
        plan = RolloutPlan(version=rollout.plan.version, percent=ahead, segment=rollout.plan.segment)
        moved = after_stop(head, plan, ahead, at)
        policies.save(write, moved)
        revision = self._book.publish(write, at)
        last = ahead == rollout.plan.steps[-1] and ahead == 100.0
        after = replace(
            rollout,
            state="done" if last else "running",
            marks=(*rollout.marks, StepMark(percent=ahead, revision=revision, at=at)),
            green_at=None,
            note=reason,
            updated_at=at,
            ended_at=at if last else None,
        )
        rollouts.save(write, after)
        return Deed(answer=after, before=plain(head), after=_told(after, moved), revision=revision)

    def _back(self, write: Write, rollout: GatedRollout, head: PolicyHead, reason: str, at: int) -> Deed[GatedRollout]:
        moved = replace(head, rollout=None)
        policies.save(write, moved)
        revision = self._book.publish(write, at)
        after = replace(rollout, state="rolled_back", green_at=None, note=reason, updated_at=at, ended_at=at)
        rollouts.save(write, after)
        return Deed(answer=after, before=plain(head), after=_told(after, moved), revision=revision)

    def _end(
        self, write: Write, rollout: GatedRollout, head: PolicyHead, state: RolloutState, *, note: str, at: int
    ) -> Deed[GatedRollout]:
        after = replace(rollout, state=state, note=note, updated_at=at, ended_at=at)
        rollouts.save(write, after)
        return Deed(answer=after, before=plain(head), after=_told(after, head))


def _told(rollout: GatedRollout, head: PolicyHead) -> dict[str, Any]:
    return {
        **plain(head),
        "rollout_id": rollout.rollout_id,
        "state": rollout.state,
        "percent": rollout.percent,
        "note": rollout.note,
        "mark": dump(rollout.marks[-1]),
    }


def _says(look: Look) -> tuple[Any, ...]:
    return (look.percent, look.step, *((each.gate, each.verdict) for each in look.findings))
