"""Alerts, what silences them, how they are delivered, and the objectives whose budgets they watch."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field

from storage.records.document import document

Audience = Literal["operation", "models", "campaigns"]
"""Whose work an alert is."""
Severity = Literal["page", "look"]
"""``page`` wakes somebody; ``look`` waits for the working day."""
AlertState = Literal["firing", "silenced", "acknowledged", "resolved"]
Occasion = Literal["fired", "resolved", "test"]
DeliveryState = Literal["pending", "sending", "delivered", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Something that somebody has to know, from its first sign until it is over; one per fingerprint at a time.

    ``name`` is the runbook's; ``cause`` groups what mostly has one cause; ``since`` is when what it tells began,
    ``seen_at`` when it was last true; ``fires`` counts how often it came back within minutes; ``top`` names what
    differs most; a ``test`` says nothing about the system.
    """

    alert_id: str
    fingerprint: str
    name: str
    title: str
    cause: str
    audience: Audience
    severity: Severity
    sentence: str
    since: int
    fired_at: int
    seen_at: int
    figures: Mapping[str, Any] = field(default_factory=dict)
    slo: str = ""
    top: str = ""
    fires: int = 1
    acked_at: int | None = None
    acked_by: str = ""
    acked_why: str = ""
    resolved_at: int | None = None
    resolved_by: str = ""
    resolved_why: str = ""
    test: bool = False

    def state(self, silence: "Silence | None", now: int) -> AlertState:
        """Return where it stands, seen with the silence of its fingerprint."""
        if self.resolved_at is not None:
            return "resolved"
        if silence is not None and silence.holds(now):
            return "silenced"
        return "firing" if self.acked_at is None else "acknowledged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Nothing of one fingerprint is delivered until an instant, by whom and why; it is shown all the same."""

    silence_id: str
    fingerprint: str
    since: int
    until: int
    by: str
    reason: str
    lifted_at: int | None = None

    def holds(self, now: int) -> bool:
        """Tell whether it is still in force."""
        return self.lifted_at is None and self.since <= now < self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One alert on its way to one destination, by the destination's name: its address is a secret."""

    delivery_id: str
    alert_id: str
    destination: str
    occasion: Occasion
    created_at: int
    next_at: int
    state: DeliveryState = "pending"
    attempts: int = 0
    done_at: int | None = None
    trouble: str = ""


@document
class BurnWindow:
    """Burning at ``factor`` times what the budget bears, over a long window and still over its last part."""

    long_s: Annotated[int, Field(ge=300, le=30 * 86_400)]
    short_s: Annotated[int, Field(ge=60, le=86_400 * 3)]
    factor: Annotated[float, Field(gt=0.0, le=1_000.0)]


BURN_WINDOWS = (
    BurnWindow(long_s=3_600, short_s=300, factor=14.4),
    BurnWindow(long_s=6 * 3_600, short_s=1_800, factor=6.0),
    BurnWindow(long_s=3 * 86_400, short_s=6 * 3_600, factor=1.0),
)
"""Source: Google, The Site Reliability Workbook, chapter 5, multiwindow multi-burn-rate alerts."""


@document
class Slo:
    """An objective: the least share of good ones of an indicator over a period that ends now."""

    key: str
    title: str = ""
    indicator: str
    objective: Annotated[float, Field(gt=0.0, lt=1.0)]
    period_days: Annotated[int, Field(ge=1, le=35)] = 30
    windows: tuple[BurnWindow, ...] = BURN_WINDOWS
    enabled: bool = True
