"""The rules of change: who may, why, what they confirm, who else must agree, and what they must have read."""

import unicodedata
from dataclasses import replace

from governance.actions import APPROVALS, Action
from governance.warrants import Warrant, require_reason
from storage.errors import Conflict, Forbidden, Invalid, NeedsApproval, Problem, Stale
from storage.records.access import Principal, Scope
from storage.records.changes import Change, Level
from storage.records.clock import DAY, HOUR, MINUTE, iso

EXPIRES_AFTER = 72 * HOUR
COOL_OFF = 15 * MINUTE
AHEAD = 30 * DAY
"""How far ahead a change may be scheduled: what was agreed to must still be what people know."""
OPEN = frozenset({"draft", "in_review", "approved", "scheduled"})
_AGREED = frozenset({"approved", "scheduled"})
_TYPED = frozenset({"D2", "D3"})


def person(name: str) -> str:
    """Return a principal's name as rules compare it: two spellings of one name are one person.

    >>> person(" Alice ") == person("alice")
    True
    """
    return unicodedata.normalize("NFKC", name).strip().casefold()


def require_scope(by: Principal, scope: Scope) -> None:
    """Raise ``Forbidden`` unless the caller carries ``scope``."""
    if not by.may(scope):
        raise Forbidden(f"this needs the scope {scope}")


def require_confirmation(action: Action, key: str, environment: str, level: Level, warrant: Warrant) -> None:
    """Raise ``Invalid`` unless what must be typed was typed."""
    typed = action.confirm(key, environment)
    if (level in _TYPED or action.confirmed) and warrant.confirm != typed:
        message = "type the environment's name" if typed == environment != key else "type the key of the object again"
        raise Invalid(f"confirm: {message}", problems=(Problem(field="confirm", message=message),))


def require_tag(action: Action, level: Level, etag: str, warrant: Warrant) -> None:
    """Raise ``Stale`` if the caller read another state of the object; the safe direction is never blocked."""
    if level == "safe":
        return
    if warrant.etag is None and action.tagged:
        message = "send the ETag of what you read in If-Match"
        raise Invalid(f"If-Match: {message}", problems=(Problem(field="If-Match", message=message),))
    if warrant.etag is not None and warrant.etag != etag:
        raise Stale("it changed since you read it; read it again")


def admit(action: Action, key: str, level: Level, etag: str, warrant: Warrant, *, solo: bool, environment: str) -> None:
    """Let a caller do an action at once, or raise what stands in the way."""
    require_scope(warrant.by, action.scope)
    require_reason(warrant)
    others = APPROVALS[level]
    if others and (not solo or level == "D3"):
        raise NeedsApproval(
            f"{action.kind} is {level} here: propose it as a change; {others} other "
            f"{'person' if others == 1 else 'people'} must approve"
        )
    require_confirmation(action, key, environment, level, warrant)
    require_tag(action, level, etag, warrant)


def expired(change: Change, now: int) -> bool:
    """Tell whether a change waited too long: 72 hours after it was last touched, or was due."""
    since = max(change.updated_at, change.apply_at or 0)
    return change.state in {"in_review", "approved", "scheduled"} and now - since > EXPIRES_AFTER


def _require_state(change: Change, states: frozenset[str], now: int) -> None:
    if expired(change, now):
        raise Conflict("this change expired; edit it to start again")
    if change.state not in states:
        raise Conflict(f"this change is {change.state}")


def _require_author(change: Change, by: Principal, verb: str) -> None:
    if person(by.name) != person(change.author):
        raise Forbidden(f"only its author may {verb} a change")


def needed(change: Change, *, solo: bool) -> int:
    """Return how many approvals a change needs; in a solo installation one person can give one."""
    return min(APPROVALS[change.level], 1) if solo else APPROVALS[change.level]


def ready_at(change: Change) -> int | None:
    """Return when an approved change may be applied: at once, but for D3 fifteen minutes after the last approval; a
    scheduled one when it is due."""
    if change.state == "scheduled":
        return change.apply_at
    if change.state != "approved":
        return None
    return change.updated_at + (COOL_OFF if change.level == "D3" else 0)


def edited(change: Change, by: Principal) -> Change:
    """Return a change as a draft again, without approvals."""
    if change.state not in OPEN and change.state not in {"expired", "rejected", "superseded"}:
        raise Conflict(f"this change is {change.state}")
    _require_author(change, by, "edit")
    return replace(change, state="draft", approvals=(), apply_at=None, scheduled_by="")


def submitted(change: Change, by: Principal, now: int, *, solo: bool) -> Change:
    """Return a change in review; one that needs nobody else is approved by that."""
    _require_state(change, frozenset({"draft"}), now)
    _require_author(change, by, "submit")
    return replace(change, state="in_review" if needed(change, solo=solo) else "approved", updated_at=now)


def approved(change: Change, by: Principal, now: int, *, solo: bool) -> Change:
    """Return a change with one more approval. Its author, by whatever token, may give none, unless solo."""
    _require_state(change, frozenset({"in_review"}), now)
    if person(by.name) == person(change.author) and not solo:
        raise Forbidden("nobody approves their own change")
    if person(by.name) in {person(name) for name in change.approvals}:
        raise Conflict("you approved this change already")
    approvals = (*change.approvals, by.name)
    enough = len(approvals) >= needed(change, solo=solo)
    return replace(change, approvals=approvals, state="approved" if enough else "in_review", updated_at=now)


def rejected(change: Change, now: int) -> Change:
    """Return a change turned down."""
    _require_state(change, frozenset({"in_review", *_AGREED}), now)
    return replace(change, state="rejected", updated_at=now)


def scheduled(change: Change, by: Principal, at: int, now: int, *, solo: bool) -> Change:
    """Return an approved change that is to be applied at an instant by itself."""
    _require_state(change, _AGREED, now)
    _require_agreement(change, solo=solo)
    earliest = max(now, ready_at(change) or now) if change.state == "approved" else now
    if not earliest < at <= now + AHEAD:
        message = f"name a time after {iso(earliest)} and at most 30 days ahead"
        raise Invalid(f"at: {message}", problems=(Problem(field="at", message=message),))
    if change.state == "scheduled" and change.level == "D3":
        raise Conflict("this change has a time already; edit it to start again")
    return replace(change, state="scheduled", apply_at=at, scheduled_by=by.name, updated_at=now)


def withdrawn(change: Change, by: Principal, now: int) -> Change:
    """Return a change that its author took back."""
    if change.state not in OPEN:
        raise Conflict(f"this change is {change.state}")
    _require_author(change, by, "withdraw")
    return replace(change, state="rejected", updated_at=now)


def require_applicable(change: Change, now: int, *, solo: bool) -> None:
    """Let a change be applied, or raise what stands in the way."""
    if change.state == "applied":
        raise Stale("this change was applied already")
    if change.state in {"draft", "in_review"} and not expired(change, now):
        missing = needed(change, solo=solo) - len(change.approvals)
        raise NeedsApproval(f"this change is {change.state}; approvals missing: {max(missing, 0)}")
    _require_state(change, _AGREED, now)
    _require_agreement(change, solo=solo)
    ready = ready_at(change)
    if ready is not None and now < ready:
        raise Conflict(
            f"this change may be applied in {-(-(ready - now) // MINUTE)} minutes; until then it can be withdrawn"
        )


def require_applicable_alone(change: Change, now: int) -> None:
    """Let somebody who declared an emergency apply a change that nobody agreed to; never what is irreversible."""
    if change.level == "D3":
        raise NeedsApproval("an emergency is no ground for what cannot be undone; two other people must approve")
    if change.state == "applied":
        raise Stale("this change was applied already")
    _require_state(change, OPEN, now)


def _require_agreement(change: Change, *, solo: bool) -> None:
    others = {person(name) for name in change.approvals} - (set() if solo else {person(change.author)})
    if len(others) < needed(change, solo=solo):
        raise NeedsApproval("too few other people approved this change")
