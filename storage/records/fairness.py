"""What a fairness audit is asked to look at, and how often."""

from dataclasses import field
from typing import Annotated

from pydantic import Field

from storage.records.document import document

METRICS = ("exposure", "click_rate", "benefit", "selection_rate", "tpr", "calibration")
PERSON, ITEM, SENSITIVE = "person.", "item.", "sensitive."
"""Where an attribute is from; without any of these, from the context of the decision."""
MOST_ATTRIBUTES = 8


@document
class FairnessArguments:
    """What an audit looks at.

    ``attributes`` are names of the context, or after ``person.`` of what people stated, after ``sensitive.`` of what
    is kept apart for audits alone, after ``item.`` of the items shown (their providers). ``start`` and ``end`` are
    microseconds UTC; ``days`` instead bounds it to the days before the run. ``control`` compares impressions that
    are alike in it only. No ``metrics``: all. ``plan`` names what asked for it.
    """

    campaign: str | None = None
    policy: str | None = None
    start: int | None = None
    end: int | None = None
    days: Annotated[int, Field(ge=1, le=400)] | None = None
    attributes: tuple[str, ...] = ("user_feature_0", "user_feature_1")
    intersections: bool = True
    metrics: tuple[str, ...] = ()
    control: str | None = None
    origins: tuple[str, ...] = ("imported",)
    outcome: str = "click"
    min_group: Annotated[int, Field(ge=2)] = 100
    plan: str | None = None


@document
class FairnessPlan:
    """An audit by the clock. ``order`` is what it looks at: how it judges is D2 to change, and every audit keeps it."""

    key: str
    title: str = ""
    every_hours: Annotated[int, Field(ge=1, le=24 * 90)] = 24
    enabled: bool = True
    order: FairnessArguments = field(default_factory=FairnessArguments)
