"""Segments: what kind of visitor a person is, by rules over what is counted of them."""

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Any, Literal

from pydantic import Field

from storage.records.document import document

Measure = Literal["age_days", "weekly", "share", "condition"]


@document
class SegmentRule:
    """When a person belongs to a segment.

    ``age_days`` asks how long ago a person was first seen, ``weekly`` how often in a week what ``of`` counts happens,
    ``share`` how much of what ``among`` counts is of ``of``: ``above`` or ``below`` a value, with at least
    ``confidence``. ``condition`` is a marketer's own segment: ``when`` holds over the person's circumstances
    (``user.NAME``). ``of`` and ``among`` name ``storage.records.subjects.COUNTERS``, or ``different`` items and
    ``looks`` (``scoring_core.features.segments``). ``title`` is the sentence that pages show.
    """

    measure: Measure = "condition"
    of: tuple[str, ...] = ()
    among: tuple[str, ...] = ()
    above: float | None = None
    below: float | None = None
    confidence: Annotated[float, Field(gt=0.0, le=1.0)] = 0.7
    when: Mapping[str, Any] = field(default_factory=dict)
    title: str = ""
    enabled: bool = True


STANDARD_SEGMENTS: Mapping[str, SegmentRule] = {
    "new": SegmentRule(measure="age_days", below=14.0, title="First seen less than two weeks ago."),
    "casual": SegmentRule(measure="weekly", of=("sessions",), below=1.0, title="Comes less than once a week."),
    "explorer": SegmentRule(
        measure="share",
        of=("different",),
        among=("looks",),
        above=0.8,
        title="Four looks in five go to an item that they have not looked at before.",
    ),
    "power": SegmentRule(measure="weekly", of=("sessions",), above=3.0, title="Comes more than three times a week."),
    "goal_oriented": SegmentRule(
        measure="share",
        of=("searches",),
        among=("searches", "views", "clicks"),
        above=0.25,
        title="Searches rather than browses: more than one act in four is a search.",
    ),
    "mobile_first": SegmentRule(
        measure="share", of=("mobile",), among=("mobile", "desktop"), above=0.6, title="Mostly on a phone or tablet."
    ),
    "desktop_focused": SegmentRule(
        measure="share", of=("desktop",), among=("mobile", "desktop"), above=0.6, title="Mostly at a desktop."
    ),
    "commercial_intent": SegmentRule(
        measure="share",
        of=("carts", "wishes", "purchases"),
        among=("carts", "wishes", "purchases", "views", "clicks"),
        above=0.1,
        title="More than one act in ten is a cart, a wish or a purchase.",
    ),
}
"""The segments that every installation has; ``Installation.segments`` changes them by name, or adds more."""


@document
class SegmentCount:
    """How many people belonged to a segment (empty name: everyone) when they were counted, how sure that is on
    average (None: nobody), what they were shown and clicked in the last week of closed windows, and the interval of how
    far their click rate lies above everyone else's (None: too little was shown)."""

    segment: str
    people: int
    confidence: float | None = None
    impressions: int = 0
    clicks: int = 0
    rate: float | None = None
    others: float | None = None
    low: float | None = None
    high: float | None = None


@document
class Census:
    """Everyone's segments at one moment; ``origins`` are those of the events that tell of these people."""

    at: int
    people: int
    segments: tuple[SegmentCount, ...] = ()
    origins: tuple[str, ...] = ()
