"""The life of a change request: drafted, reviewed, approved, applied, or not."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import uuid_utils

from governance import rules
from governance.actions import APPROVALS, Action, Ground, Step, found
from governance.book import Book, Deed, Matter
from governance.emergencies import running
from governance.kinds import action_of
from governance.outcomes import Outcome
from governance.policies import RolloutPlan, next_stop
from governance.warrants import Warrant, require_reason
from storage import changes, emergencies, jobs, policies
from storage.database import Read, Write
from storage.errors import Conflict, NeedsApproval, Stale
from storage.records.access import Scope
from storage.records.changes import Change, Emergency
from storage.records.clock import SECOND
from storage.records.document import dump, parse

WHAT_IF = "whatif"
BROAD = frozenset({"D2", "D3"})
REHEARSED = frozenset({"policy", "rule", "cap", "campaign", "model"})
"""What decides about items, so that logged decisions can be replayed with it."""
DWELL = 10 * SECOND
"""How long after a plan's step the next one must be named by its percentage."""


class _Rehearsed(Exception):  # never leaves this module: it rolls a rehearsal back
    def __init__(self, step: Step) -> None:
        super().__init__()
        self.step = step


def _plain(change: Change) -> dict[str, Any]:
    told = {"state": change.state, "level": change.level, "payload": change.payload, "approvals": change.approvals}
    return told | ({"dry_run": change.dry_run} if change.dry_run else {})


def _unguarded(_read: Read) -> None:
    """Let everything through."""


def _seen(step: Step | None) -> dict[str, Any]:
    """Return what an author saw: the object as it stood, and what the change would have made of it."""
    return {} if step is None else {"found": step.before, "effect": step.after, "dry_run": ""}


class Changes:
    """Change requests, by the rules of change.

    Parameters
    ----------
    book
        Runs each action as one transaction with its ledger entry.
    """

    def __init__(self, book: Book) -> None:
        self.book = book

    def _rehearse(self, action: Action, key: str, document: Any, warrant: Warrant) -> Step:
        """Do an action and undo it, so that an author sees mistakes before anything is saved."""
        try:
            with self.book.database.write() as write:
                by = warrant.by
                ground = Ground(at=self.book.now(), author=by.name, reason=warrant.reason, held=by.scopes)
                raise _Rehearsed(action.perform(write, key, document, ground))
        except _Rehearsed as rehearsed:
            return rehearsed.step

    def propose(self, kind: str, key: str, payload: Mapping[str, Any], warrant: Warrant) -> Change:
        """Write a draft."""
        action = action_of(kind)
        document = parse(action.payload, payload)

        def body(write: Write, at: int) -> Deed[Change]:
            rules.require_scope(warrant.by, action.propose)
            require_reason(warrant)
            change = Change(
                change_id=str(uuid_utils.uuid7()),
                kind=kind,
                object_key=key,
                payload=dump(document),
                state="draft",
                level=action.level(write, key, document),
                author=warrant.by.name,
                reason=warrant.reason,
                base=action.etag(write, key),
                created_at=at,
                updated_at=at,
                **_seen(step),
            )
            changes.save(write, change)
            return Deed(answer=change, after=_plain(change), object_key=change.change_id)

        step = self._rehearse(action, key, document, warrant) if warrant.by.may(action.propose) else None
        return self.book.enter(Matter(action="change.propose", object_kind="change", object_key=key), warrant, body)[0]

    def edit(self, change_id: str, payload: Mapping[str, Any], warrant: Warrant) -> Change:
        """Replace the payload; the change is a draft again, on the state of now, without approvals."""
        with self.book.database.read() as read:
            known = self._find(read, change_id)
        action = action_of(known.kind)
        document = parse(action.payload, payload)

        def change_it(write: Write, change: Change, at: int) -> Change:
            rules.require_scope(warrant.by, action.propose)
            fresh = rules.edited(change, warrant.by)
            return replace(
                fresh,
                payload=dump(document),
                reason=warrant.reason,
                level=action.level(write, change.object_key, document),
                base=action.etag(write, change.object_key),
                updated_at=at,
                **_seen(step),
            )

        own = rules.person(known.author) == rules.person(warrant.by.name)
        step = self._rehearse(action, known.object_key, document, warrant) if own else None
        return self.move("change.edit", change_id, warrant, change_it)

    def submit(self, change_id: str, warrant: Warrant) -> Change:
        """Ask for review; of what is broad, a what-if over the last day of logged decisions is asked for with it."""

        def submit(write: Write, change: Change, at: int) -> Change:
            action = action_of(change.kind)
            rules.require_scope(warrant.by, action.propose)
            self.require_base(write, action, change)
            after = rules.submitted(change, warrant.by, at, solo=self.book.solo)
            if change.level not in BROAD or action.object_kind not in REHEARSED:
                return after
            job = jobs.enqueue(
                write, name=WHAT_IF, arguments={"change": change_id}, requested_by=warrant.by.name, now=at
            )
            return replace(after, dry_run=job.job_id)

        return self.move("change.submit", change_id, warrant, submit)

    def approve(self, change_id: str, warrant: Warrant) -> Change:
        """Agree."""

        def approve(write: Write, change: Change, at: int) -> Change:
            action = action_of(change.kind)
            rules.require_scope(warrant.by, action.approve)
            approved = rules.approved(change, warrant.by, at, solo=self.book.solo)
            self.require_base(write, action, change)
            return approved

        return self.move("change.approve", change_id, warrant, approve)

    def reject(self, change_id: str, warrant: Warrant) -> Change:
        """Turn down."""

        def reject(_write: Write, change: Change, at: int) -> Change:
            rules.require_scope(warrant.by, Scope.POLICY_APPROVE)
            return rules.rejected(change, at)

        return self.move("change.reject", change_id, warrant, reject)

    def withdraw(self, change_id: str, warrant: Warrant) -> Change:
        """Take back."""

        def withdraw(_write: Write, change: Change, at: int) -> Change:
            return rules.withdrawn(change, warrant.by, at)

        return self.move("change.withdraw", change_id, warrant, withdraw)

    def apply(
        self,
        change_id: str,
        warrant: Warrant,
        *,
        percent: float | None = None,
        guard: Callable[[Read], None] = _unguarded,
    ) -> Outcome:
        """Do what was approved; of a plan, the step to ``percent``. In an emergency of the caller's it needs no
        approval, and the emergency keeps its id."""
        with self.book.database.read() as read:
            known = self._find(read, change_id)
        action = action_of(known.kind)
        document = parse(action.payload, known.payload)

        def body(write: Write, at: int) -> Deed[Outcome]:
            guard(write)
            change = self._find(write, change_id)
            rules.require_scope(warrant.by, action.scope)
            require_reason(warrant)
            emergency = self._admitted(write, change, warrant, at)
            if change.payload != known.payload:
                raise Stale("this change was edited meanwhile; read it again")
            self.require_base(write, action, change)
            if APPROVALS[action.level(write, change.object_key, document)] > APPROVALS[change.level]:
                raise NeedsApproval("what this change does has become more dangerous since it was approved; edit it")
            rules.require_confirmation(action, change.object_key, self.book.environment, change.level, warrant)
            if isinstance(document, RolloutPlan):
                self._require_stop(write, change, document, percent, at)
            ground = Ground(at=at, author=change.author, reason=change.reason, held=warrant.by.scopes)
            step = action.perform(write, change.object_key, document, ground)
            revision = self.book.publish(write, at) if action.publishes else None
            after_this = replace(change, base=step.etag, updated_at=at, applied_revision=revision)
            changes.save(write, replace(after_this, state="applied" if step.done else "approved"))
            outcome = Outcome(
                kind=change.kind,
                object_kind=action.object_kind,
                object_key=change.object_key,
                level=change.level,
                etag=step.etag,
                revision=revision,
                after=step.after,
                seq=0,
            )
            after = {**(step.after or {}), "change": change_id, "author": change.author, "approvals": change.approvals}
            if emergency is not None:
                emergencies.save(write, replace(emergency, deeds=(*emergency.deeds, change_id)))
                after["emergency"] = emergency.emergency_id
            return Deed(
                answer=outcome,
                before=step.before,
                after=after,
                revision=revision,
                four_eyes=None if emergency is None else False,
            )

        matter = Matter(action=known.kind, object_kind=action.object_kind, object_key=known.object_key)
        outcome, seq = self.book.enter(matter, warrant, body)
        return replace(outcome, seq=seq)

    def _admitted(self, read: Read, change: Change, warrant: Warrant, at: int) -> Emergency | None:
        """Let a change be applied, or raise what stands in the way; return the emergency by which alone it may be."""
        try:
            rules.require_applicable(change, at, solo=self.book.solo)
        except (NeedsApproval, Conflict):
            emergency = running(read, warrant.by.name, at)
            if emergency is None:
                raise
            rules.require_applicable_alone(change, at)
            return emergency
        return None

    def _find(self, read: Read, change_id: str) -> Change:
        change: Change = found(changes.find(read, change_id), "change")
        return change

    def move(self, verb: str, change_id: str, warrant: Warrant, move: Callable[[Write, Change, int], Change]) -> Change:
        """Let a change become what ``move`` makes of it, with its ledger entry."""

        def body(write: Write, at: int) -> Deed[Change]:
            require_reason(warrant)
            before = self._find(write, change_id)
            after = move(write, before, at)
            changes.save(write, after)
            return Deed(answer=after, before=_plain(before), after=_plain(after))

        return self.book.enter(Matter(action=verb, object_kind="change", object_key=change_id), warrant, body)[0]

    def require_base(self, read: Read, action: Action, change: Change) -> None:
        """Raise ``Stale`` where the object is not what it was when the change was written."""
        if action.etag(read, change.object_key) != change.base:
            raise Stale("what this change changes is not what it was when it was written; edit it to start again")

    def _require_stop(self, read: Read, change: Change, plan: RolloutPlan, percent: float | None, at: int) -> None:
        """Refuse a second step by somebody who did not see the first, so that two callers never climb two steps."""
        head = found(policies.head(read, change.object_key), "policy")
        begun = change.applied_revision is not None
        unseen = at - change.updated_at < DWELL if percent is None else percent != next_stop(head, plan)
        if unseen and (begun or percent is not None):
            raise Stale("the plan is not at this step, or was a moment ago; read the policy again")
