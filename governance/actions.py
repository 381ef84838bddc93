"""What can be done to control state: each action's payload, scope, danger level and effect."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from storage.database import Read, Write
from storage.errors import Invalid, NotFound, Problem
from storage.records.access import Scope
from storage.records.changes import Level
from storage.records.document import document

APPROVALS: dict[Level, int] = {"safe": 0, "D0": 0, "D1": 0, "D2": 1, "D3": 2}
"""How many other people must agree, by danger level."""


@document
class Nothing:
    """The payload of an action that needs none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What an action may know of its circumstances; ``held`` are the scopes of who does it now."""

    at: int
    author: str
    reason: str
    held: frozenset[Scope] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What an action did: plain JSON before and after, and the object's new tag. ``done`` is false while an approved
    plan has steps left."""

    before: Any
    after: Any
    etag: str = ""
    done: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One kind of control action.

    Parameters
    ----------
    scope, approve
        What its author or applier, and who agrees to it, must carry.
    payload
        The closed document that it takes.
    level
        Its danger, seen from the present state.
    perform
        Its effect, within the caller's transaction.
    etag
        The tag of the object now; empty where there is none.
    publishes
        Whether engines see its effect, so that a revision is published.
    tagged
        Whether a caller who does it at once must name the tag that they read.
    confirmed, confirm
        Whether it wants typed confirmation below D2 already, and what is typed: the object's key, mostly.
    """

    kind: str
    object_kind: str
    scope: Scope
    payload: type[Any]
    level: Callable[[Read, str, Any], Level]
    perform: Callable[[Write, str, Any, Ground], Step]
    etag: Callable[[Read, str], str]
    propose: Scope = Scope.POLICY_PROPOSE
    approve: Scope = Scope.POLICY_APPROVE
    publishes: bool = True
    tagged: bool = False
    confirmed: bool = False
    confirm: Callable[[str, str], str] = lambda key, _environment: key


def always(level: Level) -> Callable[[Read, str, Any], Level]:
    """Return a level that does not depend on the state."""
    return lambda _read, _key, _payload: level


def untagged(_read: Read, _key: str) -> str:
    """Return no tag."""
    return ""


def refuse(problems: tuple[Problem, ...]) -> None:
    """Raise ``Invalid`` if there is any problem."""
    if problems:
        first = problems[0]
        raise Invalid(f"{first.field}: {first.message}", problems=problems)


def found(thing: Any, what: str) -> Any:
    """Return the thing, or raise ``NotFound``."""
    if thing is None:
        raise NotFound(f"no such {what}")
    return thing


def marketing(
    kind: str,
    perform: Callable[[Write, str, Any, Ground], Step],
    level: Callable[[Read, str, Any], Level],
    *,
    etag: Callable[[Read, str], str],
    payload: type[Any] = Nothing,
    tagged: bool = False,
) -> Action:
    """Return an action ``OBJECT.VERB`` that who runs campaigns may take and propose."""
    return Action(
        kind=kind,
        object_kind=kind.partition(".")[0],
        scope=Scope.CAMPAIGN_WRITE,
        propose=Scope.CAMPAIGN_WRITE,
        payload=payload,
        level=level,
        perform=perform,
        etag=etag,
        tagged=tagged,
    )
