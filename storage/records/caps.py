"""Frequency caps: how often a person may be shown something within a window."""

from typing import Annotated, Literal

from pydantic import Field

from storage.records.document import document

CapUnit = Literal["minute", "hour", "day", "week", "month", "lifetime"]


@document
class Cap:
    """At most ``limit`` impressions per person within ``count`` × ``unit``.

    ``per`` says of what: each item, each campaign, each value of an item attribute (``attribute``), or anything at all.
    ``window`` is rolling, or follows the calendar of ``zone`` (an IANA name). Where several caps hold, the strictest
    wins. ``surfaces`` and ``campaigns`` restrict it; empty means all.
    """

    key: str
    limit: Annotated[int, Field(ge=0, le=65_535)]
    unit: CapUnit = "day"
    count: Annotated[int, Field(ge=1, le=400)] = 1
    per: Literal["item", "campaign", "attribute", "any"] = "item"
    attribute: str = ""
    window: Literal["rolling", "calendar"] = "rolling"
    zone: str = "UTC"
    surfaces: tuple[str, ...] = ()
    campaigns: tuple[str, ...] = ()
