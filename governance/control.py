"""The only writer of control state: every change is one transaction of state, ledger entry and revision."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from governance import rules
from governance.access import Access
from governance.acknowledgement import Acknowledgements, tokens_as_of
from governance.actions import Ground
from governance.alerts.desk import Desk
from governance.best_variant import BestVariants
from governance.book import Book, Deed, Matter
from governance.bootstrap import Bootstrap
from governance.cards import inherit
from governance.changes import Changes
from governance.consent import Consents
from governance.consent_files import ConsentFiles
from governance.dead_letters import DeadLetters
from governance.emergencies import Emergencies
from governance.kinds import action_of
from governance.outcomes import Acknowledged, Installed, Minted, Once, Outcome, Recorded
from governance.own.visits import Visits
from governance.preset import Preset
from governance.reviews import Reviews
from governance.rights import Rights
from governance.rollouts.guard import Rollouts
from governance.sensitive import SensitiveAttributes
from governance.subjects import Subjects
from governance.timetable import Timetable
from governance.warrants import Warrant, require_reason
from storage import counters, jobs, registry, revisions
from storage.database import Database, Read, Write
from storage.errors import Conflict, FairleadError
from storage.keys import Keys
from storage.pseudonyms import Salts
from storage.records import clock
from storage.records.access import Scope
from storage.records.changes import Change
from storage.records.consent import ConsentChange, Purpose
from storage.records.document import parse
from storage.records.findings import Job
from storage.records.policies import Snapshot


def _unguarded(_read: Read) -> None:
    """Let everything through."""


class Control:
    """Writes control state, for every caller, by the rules of change.

    Parameters
    ----------
    database, keys
        Where state lives, and the keys of ledger and pseudonyms.
    environment
        The name of this installation's environment; typed to confirm what concerns all of it.
    solo
        Whether one person may approve their own changes; each ledger entry is then stamped ``four_eyes=False``.
    now
        The clock, microseconds UTC.
    """

    def __init__(
        self, database: Database, keys: Keys, *, environment: str, solo: bool, now: Callable[[], int] = clock.now
    ) -> None:
        self.environment = environment
        self.solo = solo
        self.now = now
        self._database = database
        self._book = Book(database, keys, environment=environment, solo=solo, now=now)
        self.changes = Changes(self._book)
        self.timetable = Timetable(self.changes)
        self.emergencies = Emergencies(self._book)
        self.alerts = Desk(self._book)
        self._access = Access(self._book)
        self.rollouts = Rollouts(self._book)
        self._acknowledgements = Acknowledgements(database, now=now)
        salts = Salts(database, keys.lookup, now=now)
        self.consents = Consents(self._book, salts, self._acknowledgements)
        self.subjects = Subjects(self._book, salts)
        """Requests of people about their own data."""
        self.sensitive = SensitiveAttributes(self._book, salts)
        """What people say of themselves for audits of fairness alone."""
        self.rights = Rights(self.subjects, self._acknowledgements)
        self.reviews = Reviews(self.subjects)
        self.visits = Visits(self._book)
        """What people may ask for that takes nobody's approval."""
        self.consent_files = ConsentFiles(self._book)
        self.dead_letters = DeadLetters(self._book)

    def bootstrap(self, home: Path, preset: Preset | None = None) -> Installed:
        """Make a fresh installation usable, once: settings, the service tokens below ``home``/keys, a first revision,
        and the preset if there is neither policy nor campaign. Calling it again changes nothing."""
        return Bootstrap(self._book).run(home, preset)

    def do(
        self,
        kind: str,
        key: str,
        payload: Mapping[str, Any],
        warrant: Warrant,
        *,
        guard: Callable[[Read], None] = _unguarded,
    ) -> Outcome:
        """Do one action at once. ``guard`` is asked within the transaction and raises to stop it.

        Raises
        ------
        NeedsApproval
            Where a second person must agree first: propose a change.
        Invalid, NotFound, Forbidden, Stale, Conflict
            As the rules of change and the action say; refusals are in the ledger.
        """
        action = action_of(kind)
        document = parse(action.payload, payload)

        def body(write: Write, at: int) -> Deed[Outcome]:
            guard(write)
            rules.require_scope(warrant.by, action.scope)
            level = action.level(write, key, document)
            rules.admit(
                action,
                key,
                level,
                action.etag(write, key),
                warrant,
                solo=self.solo,
                environment=self.environment,
            )
            ground = Ground(at=at, author=warrant.by.name, reason=warrant.reason, held=warrant.by.scopes)
            step = action.perform(write, key, document, ground)
            revision = self._book.publish(write, at) if action.publishes else None
            outcome = Outcome(
                kind=kind,
                object_kind=action.object_kind,
                object_key=key,
                level=level,
                etag=step.etag,
                revision=revision,
                after=step.after,
                seq=0,
            )
            return Deed(answer=outcome, before=step.before, after=step.after, revision=revision)

        matter = Matter(action=kind, object_kind=action.object_kind, object_key=key)
        outcome, seq = self._book.enter(matter, warrant, body)
        return replace(outcome, seq=seq)

    def propose(self, kind: str, key: str, payload: Mapping[str, Any], warrant: Warrant) -> Change:
        """Write a draft of a change; what cannot be done is refused here already."""
        return self.changes.propose(kind, key, payload, warrant)

    def edit(self, change_id: str, payload: Mapping[str, Any], warrant: Warrant) -> Change:
        """Replace a change's payload; it becomes a draft again and loses its approvals. Only its author may."""
        return self.changes.edit(change_id, payload, warrant)

    def submit(self, change_id: str, warrant: Warrant) -> Change:
        """Ask for review."""
        return self.changes.submit(change_id, warrant)

    def approve(self, change_id: str, warrant: Warrant) -> Change:
        """Agree to a change; never its author, unless solo."""
        return self.changes.approve(change_id, warrant)

    def reject(self, change_id: str, warrant: Warrant) -> Change:
        """Turn a change down."""
        return self.changes.reject(change_id, warrant)

    def withdraw(self, change_id: str, warrant: Warrant) -> Change:
        """Take one's own change back."""
        return self.changes.withdraw(change_id, warrant)

    def apply(self, change_id: str, warrant: Warrant, *, percent: float | None = None) -> Outcome:
        """Do what was approved; of a rollout plan the next step, which must be ``percent`` if that is named, and is
        refused right after another one if it is not."""
        return self.changes.apply(change_id, warrant, percent=percent)

    def expire(self, warrant: Warrant, *, guard: Callable[[Read], None] = _unguarded) -> int:
        """Close changes that waited over 72 hours, or whose object changed meanwhile; return how many."""
        return self.timetable.expire(warrant, guard)

    def opt_out(self, subject: str, purpose: Purpose, warrant: Warrant, *, source: str = "control") -> Recorded:
        """Withdraw a raw subject's consent and wait until the replicas decide with it, at most 2.5 s."""
        return self.consents.record(subject, purpose, "denied", warrant, source=source)

    def opt_in(self, subject: str, purpose: Purpose, warrant: Warrant, *, source: str = "control") -> Recorded:
        """Record a raw subject's consent and wait likewise."""
        return self.consents.record(subject, purpose, "granted", warrant, source=source)

    def consent_history(self, subject: str, warrant: Warrant) -> list[ConsentChange]:
        """Look up a raw subject's consent; the look-up is in the ledger."""
        return self.consents.history(subject, warrant)

    def look_up(self, subject: str, warrant: Warrant) -> str | None:
        """Return the pseudonym of a raw subject, None for an unknown one; the look-up is in the ledger."""
        return self.consents.look_up(subject, warrant)

    def mint(
        self,
        *,
        name: str,
        principal: str,
        role: str,
        scopes: tuple[str, ...] | None,
        expires_in_s: int | None,
        warrant: Warrant,
    ) -> Minted:
        """Mint a token; ``scopes`` default to those of the role."""
        return self._access.mint(
            name=name, principal=principal, role=role, scopes=scopes, expires_in_s=expires_in_s, warrant=warrant
        )

    def wait_for_tokens(self) -> Acknowledged:
        """Return when every registered replica knows the tokens as they are now, or after 2.5 s."""
        with self._database.read() as read:
            entry = counters.numbers(read).get("ledger", 0)
        return self._acknowledgements.wait(entry, of=tokens_as_of)

    def revoke(self, token_id: str, warrant: Warrant) -> None:
        """Revoke a token: the caller's own, or with the scope ``admin`` any."""
        self._access.revoke(token_id, warrant)

    def once(self, warrant: Warrant) -> Once:
        """Make a login link's secret for the caller."""
        return self._access.once(warrant)

    def exchange(self, once: str, *, request_id: str = "") -> Minted:
        """Turn a login link's secret into a session token (12 h); a second time, or after ten minutes, it is refused
        with ``Unauthenticated``."""
        return self._access.exchange(once, request_id=request_id)

    def forget_logins(self, warrant: Warrant, *, guard: Callable[[Read], None] = _unguarded) -> int:
        """Delete login links and sessions that ended over a week ago; return how many."""
        return self._access.forget_ended(warrant, guard)

    def request_job(
        self, name: str, arguments: Mapping[str, Any], warrant: Warrant, *, scope: Scope = Scope.JOB_RUN
    ) -> Job:
        """Queue a job for the runner; ``scope`` is what it takes to ask for it."""

        def body(write: Write, at: int) -> Deed[Job]:
            rules.require_scope(warrant.by, scope)
            require_reason(warrant)
            job = jobs.enqueue(write, name=name, arguments=arguments, requested_by=warrant.by.name, now=at)
            return Deed(answer=job, after={"name": name, "arguments": arguments}, object_key=job.job_id)

        return self._book.enter(Matter(action="job.request", object_kind="job", object_key=name), warrant, body)[0]

    def publish_models(self, warrant: Warrant, *, judged: Mapping[str, str] = MappingProxyType({})) -> int:
        """Publish what the registry holds in service, and before it puts the ``judged`` versions by name in service
        that were compared with those that serve; nothing happens if engines know it all. Return the newest revision."""
        with self._database.read() as read:
            known = revisions.load(read)
            serving = {name: model.version for name, model in registry.in_service(read).items()} | dict(judged)
        if known is not None and dict(known.models) == serving:
            return known.revision

        def body(write: Write, at: int) -> Deed[int]:
            rules.require_scope(warrant.by, Scope.POLICY_APPLY)
            require_reason(warrant)
            before = revisions.load(write)
            for name, version in judged.items():
                if registry.held(write, name):
                    raise Conflict(f"model {name} was rolled back; a person puts the next version in service")
                registry.promote(write, name, version, at=at)
                inherit(write, name, version, by=warrant.by.name, at=at)
            revision = self._book.publish(write, at)
            after = {name: model.version for name, model in registry.in_service(write).items()}
            return Deed(answer=revision, before=dict(before.models) if before else None, after=after, revision=revision)

        matter = Matter(action="models.publish", object_kind="model", object_key="registry")
        return self._book.enter(matter, warrant, body)[0]

    def publish_best_variants(self, best: BestVariants, warrant: Warrant, *, guard: Callable[[Read], None]) -> Outcome:
        """Put newly ranked best variants into the snapshot."""
        return self.do("best_variants.update", "best_variants", {"items": dict(best.items)}, warrant, guard=guard)

    def denied(self, action: str, object_kind: str, object_key: str, warrant: Warrant, refusal: FairleadError) -> None:
        """Enter an attempt that was refused before it came here, for want of a scope."""
        self._book.deny(Matter(action=action, object_kind=object_kind, object_key=object_key), warrant, refusal)

    def viewed(
        self, what: str, warrant: Warrant, *, key: str = "", asked: Mapping[str, Any] | None = None, verb: str = "view"
    ) -> None:
        """Enter that someone looked at, or exported, what may not be looked at unseen; ``asked`` are their filters."""
        matter = Matter(action=f"{what}.{verb}", object_kind=what, object_key=key)
        self._book.enter(matter, warrant, lambda _write, _at: Deed(answer=None, after=asked))

    def snapshot(self) -> Snapshot | None:
        """Return the newest revision."""
        with self._database.read() as read:
            return revisions.load(read)
