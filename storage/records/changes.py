"""The life of a control change, and what the ledger keeps of every control action."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

ChangeState = Literal["draft", "in_review", "approved", "scheduled", "applied", "superseded", "rejected", "expired"]
Level = Literal["D0", "D1", "D2", "D3", "safe"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A proposed control change. ``payload`` says what will be written; an edit clears ``approvals``.

    ``found`` is the object as it stood when this was written (``base`` is its tag), ``effect`` what the change would
    have made of it; both plain JSON. ``apply_at`` (microseconds UTC) is when ``scheduled_by`` wants it applied;
    ``dry_run`` names the job that replays logged decisions with it.
    """

    change_id: str
    kind: str
    object_key: str
    payload: Mapping[str, Any]
    state: ChangeState
    level: Level
    author: str
    reason: str
    approvals: tuple[str, ...] = ()
    base: str = ""
    created_at: int = 0
    updated_at: int = 0
    applied_revision: int | None = None
    apply_at: int | None = None
    scheduled_by: str = ""
    found: Any = None
    effect: Any = None
    dry_run: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Emergency:
    """Half an hour in which ``principal`` may apply changes that nobody else approved; ``deeds`` are the
    ids of those. It waits until somebody else has looked at it and written a ``finding``."""

    emergency_id: str
    principal: str
    reason: str
    opened_at: int
    ends_at: int
    deeds: tuple[str, ...] = ()
    reviewed_by: str = ""
    reviewed_at: int | None = None
    finding: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One entry of the hash chain. ``before`` and ``after`` are plain JSON; personal data appears as a keyed
    commitment only. ``hash`` covers every other field and ``previous``."""

    seq: int
    at: int
    actor: str
    action: str
    object_kind: str
    object_key: str
    before: Any
    after: Any
    reason: str
    result: Literal["applied", "denied", "failed"] = "applied"
    four_eyes: bool = True
    revision: int | None = None
    request_id: str = ""
    previous: str = ""
    hash: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What one replica last reported: the revision and the consent epoch that it decides with."""

    replica: str
    boot_id: str
    url: str
    revision: int
    consent_epoch: int
    at: int
    ready: bool = True
    started_at: int = 0
    details: Mapping[str, Any] = field(default_factory=dict)
