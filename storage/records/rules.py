"""Rules: when something holds, pin, boost or exclude items, or set a value of the app's configuration."""

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Any, Literal

from pydantic import Field

from storage.records.document import document
from storage.records.events import Scalar

RuleAction = Literal["pin", "boost", "exclude", "set"]


@document
class RuleArm:
    """One arm of a test inside a rule: its share of people, and what differs for them."""

    key: str
    share: Annotated[float, Field(ge=0.0, le=1.0)]
    factor: float | None = None
    slot: int | None = None
    values: Mapping[str, Scalar] = field(default_factory=dict)
    off: bool = False


@document
class Rule:
    """``when`` is a condition over the circumstances (``scoring_core.circumstances``), ``items`` one over item
    attributes. ``boost`` multiplies the score by ``factor``; ``pin`` puts the matching item at ``slot`` (1-based);
    ``exclude`` removes what matches; ``set`` gives the configuration ``values``.

    Higher ``priority`` goes first; of rules that share a ``group`` only the first that holds applies. ``surfaces`` and
    ``campaigns`` restrict it (empty: all; rules inside a policy need none). Its schedule: from ``starts_at`` to
    ``ends_at`` (microseconds UTC), on ``weekdays`` (0 = Monday) and ``hours`` of ``zone``; empty means always. ``arms``
    divide the people by hash; who is in none gets the rule as it stands. ``reason`` is the sentence that a person may
    read; ``version`` grows with each edit.
    """

    key: str
    action: RuleAction
    name: str = ""
    priority: int = 0
    enabled: bool = True
    when: Mapping[str, Any] = field(default_factory=dict)
    items: Mapping[str, Any] = field(default_factory=dict)
    factor: float = 1.0
    slot: int = 1
    values: Mapping[str, Scalar] = field(default_factory=dict)
    group: str = ""
    surfaces: tuple[str, ...] = ()
    campaigns: tuple[str, ...] = ()
    starts_at: int | None = None
    ends_at: int | None = None
    zone: str = "UTC"
    weekdays: tuple[Annotated[int, Field(ge=0, le=6)], ...] = ()
    hours: tuple[Annotated[int, Field(ge=0, le=23)], ...] = ()
    arms: tuple[RuleArm, ...] = ()
    reason: str = ""
    version: int = 1
