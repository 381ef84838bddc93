"""Drift as it is kept: the reference of a surface, accepted drift, what one window showed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from storage.records.document import document
from storage.records.events import Origin
from storage.records.findings import Verdict

Family = Literal["decided", "shown"]
"""Features of decisions, known at once; features of what was seen, known when outcomes are in."""
FAMILIES: tuple[Family, ...] = ("decided", "shown")


@document
class ReferencePlan:
    """Which rows are normal: those of ``origins`` decided in [start, end), microseconds UTC. ``methods`` pins a measure
    by feature, or by kind (``number``, ``category``)."""

    surface: str
    start: int
    end: int
    origins: tuple[Origin, ...] = ("live",)
    methods: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A numbered reference; ``counted_at`` is None until its rows and their outcomes were read."""

    version: int
    plan: ReferencePlan
    at: int
    author: str
    reason: str
    counted_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """Drift of a feature that somebody accepted, against one reference, until a moment."""

    surface: str
    feature: str
    reference: int
    author: str
    reason: str
    at: int
    until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one window showed against the reference of its time; ``features`` are rows as an audit has them."""

    surface: str
    origin: str
    family: Family
    start: int
    end: int
    at: int
    reference: int
    verdict: Verdict
    sentence: str
    features: tuple[Mapping[str, Any], ...]
