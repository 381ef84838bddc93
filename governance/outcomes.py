"""What a control action answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from storage.records.changes import Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One applied control action: what it changed, the revision that carries it and its place in the ledger."""

    kind: str
    object_kind: str
    object_key: str
    level: Level
    etag: str
    revision: int | None
    after: Mapping[str, Any]
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """How far a consent change has come: which replicas decide with it, and which had not said so in time."""

    epoch: int
    acknowledged_by: tuple[str, ...]
    waiting_for: tuple[str, ...]
    waited_ms: int
    complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded(Acknowledged):
    """The same of one person's statement, with the signed receipt that is theirs."""

    receipt: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What became of statements that another system told: ``unchanged`` said what was known, ``outdated`` were made
    before the last word."""

    epoch: int
    granted: int
    denied: int
    unchanged: int
    outdated: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Minted:
    """A new token; the plaintext exists here only."""

    token_id: str
    token: str
    principal: str
    role: str
    scopes: tuple[str, ...]
    expires_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Once:
    """A login link's secret: valid once, for ten minutes."""

    once: str
    expires_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """What the first start of an installation found or made."""

    revision: int
    tokens: tuple[str, ...]
    preset: bool
