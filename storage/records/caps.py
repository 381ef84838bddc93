"""Frequency caps: how often a person may be shown something within a window."""

from typing import Annotated, Literal

from pydantic import Field

from storage.records.document import document

CapUnit = Literal["minute", "hour", "day", "week", "month", "lifetime"]


@document
class Cap:
    """At most ``limit`` impressions per person within ``count`` × ``unit``; the limit itself is still shown.

    ``per`` says of what: each item, each campaign, each value of an item attribute (``attribute``), or anything at all.
    ``window`` is rolling (a month is 30 days), or follows the calendar of ``zone`` (an IANA name; weeks begin on
    Monday): the running period and the ``count`` − 1 before it. Where several caps hold, the strictest wins.
    ``surfaces`` and ``campaigns`` restrict where it holds and what it counts; empty means all.
    """

    key: str
    limit: Annotated[int, Field(ge=0, le=1_000)]
    unit: CapUnit = "day"
    count: Annotated[int, Field(ge=1, le=400)] = 1
    per: Literal["item", "campaign", "attribute", "any"] = "item"
    attribute: str = ""
    window: Literal["rolling", "calendar"] = "rolling"
    zone: str = "UTC"
    surfaces: tuple[str, ...] = ()
    campaigns: tuple[str, ...] = ()


@document
class Fatigue:
    """How an unanswered impression tires: it counts 1, fades with ``half_life_s``, and is gone with an outcome."""

    half_life_s: Annotated[float, Field(ge=60.0, le=366 * 86_400.0)] = 259_200.0
