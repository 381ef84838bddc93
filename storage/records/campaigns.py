"""Campaigns: a noun of their own."""

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Literal

from storage.records.caps import Cap
from storage.records.document import document

CampaignStatus = Literal["draft", "running", "paused", "ended"]
Effect = Literal["content", "price", "eligibility"]


@document
class Campaign:
    """A campaign. ``item_filter`` and ``eligibility`` are conditions over item and subject attributes; ``goal`` is the
    event type that counts as conversion; ``starts_at`` and ``ends_at`` are microseconds UTC; ``zone`` an IANA name."""

    key: str
    name: str
    surfaces: tuple[str, ...]
    status: CampaignStatus = "draft"
    starts_at: int | None = None
    ends_at: int | None = None
    zone: str = "UTC"
    goal: str = "click"
    item_filter: Mapping[str, Any] = field(default_factory=dict)
    eligibility: Mapping[str, Any] = field(default_factory=dict)
    holdout: float = 0.0
    caps: tuple[Cap, ...] = ()
    effect: Effect = "content"
