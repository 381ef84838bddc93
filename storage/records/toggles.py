"""Toggles: values that an app asks for by name, and who gets which, by condition, share of people and schedule."""

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Any, Literal

from pydantic import Field

from storage.records.document import document

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Bounds = tuple[Share, Share]
ToggleKind = Literal["boolean", "string", "number", "object"]


@document
class Namespace:
    """People are divided among tests of one name: only those whose bucket lies in [low, high) are in this one."""

    name: str
    low: Share
    high: Share


@document
class ToggleFilter:
    """Lets pass whose bucket under ``seed`` lies in one of ``ranges``."""

    seed: str
    ranges: tuple[Bounds, ...]
    by: str = "subject"
    hash_version: Literal[1, 2] = 2


@document
class Prerequisite:
    """Another toggle, and a condition over its ``{"value": …}``; with ``gate`` nobody passes to later rules either."""

    toggle: str
    when: Mapping[str, Any]
    gate: bool = True


@document
class ToggleRule:
    """Gives ``value`` to those for whom everything here holds, or one of ``variations`` by bucket; with neither it only
    keeps away whom its ``requires`` keep away.

    ``by`` names what is hashed: ``subject``, ``session`` or an attribute of the context; ``else_by`` what is hashed
    where that is absent. Without ``coverage`` and ``ranges`` a value is for all for whom ``when`` holds, known or not.
    ``ranges`` (one per variation, one for a value) go before ``coverage`` and ``weights``. ``seed`` is the toggle's
    key unless named, so that a growing share keeps whom it had. Who draws a variation of ``passthrough`` goes on to
    the next rule. The schedule is that of rules.
    """

    key: str
    when: Mapping[str, Any] = field(default_factory=dict)
    value: Any = None
    variations: tuple[Any, ...] = ()
    weights: tuple[Share, ...] = ()
    coverage: Share | None = None
    ranges: tuple[Bounds, ...] = ()
    passthrough: tuple[int, ...] = ()
    by: str = "subject"
    else_by: str = ""
    seed: str = ""
    hash_version: Literal[1, 2] = 2
    namespace: Namespace | None = None
    filters: tuple[ToggleFilter, ...] = ()
    requires: tuple[Prerequisite, ...] = ()
    starts_at: int | None = None
    ends_at: int | None = None
    zone: str = "UTC"
    weekdays: tuple[Annotated[int, Field(ge=0, le=6)], ...] = ()
    hours: tuple[Annotated[int, Field(ge=0, le=23)], ...] = ()


@document
class Toggle:
    """The first rule that holds gives the value, else ``default``; ``default`` alone while it is not ``enabled``."""

    key: str
    name: str = ""
    kind: ToggleKind = "boolean"
    enabled: bool = False
    default: Any = False
    rules: tuple[ToggleRule, ...] = ()
    owner: str = ""
    version: int = 1
