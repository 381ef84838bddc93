"""Heatmap cells of 15 minutes UTC: replaced as a whole, merged on read, by the campaign's own clock."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from storage.database import Read, Write
from storage.tables.observed import CellRow

CELL_US = 900_000_000
"""Fifteen minutes, so that zones with odd offsets rebuild their hours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One merged cell. ``users`` counts distinct people, None where they are unknown; unknown is not zero."""

    a: str
    b: str
    impressions: int
    clicks: int
    conversions: int
    decisions: int
    hit_decisions: int
    shown_decisions: int
    model_decisions: int
    users: int | None
    last_at: int
    origins: tuple[str, ...]


def replace(write: Write, campaign: str, start: int, rows: Iterable[CellRow]) -> None:
    """Put ``rows`` in the place of everything that a (campaign, 15 minutes) holds."""
    raise NotImplementedError


def by_hour(
    read: Read, *, campaign: str | None, start: int, end: int, zone: str, origins: Sequence[str] | None = None
) -> list[Cell]:
    """Return cells by local weekday (``a``: 0 Monday … 6 Sunday) and hour (``b``: 0 … 23) of an IANA zone.

    ``campaign`` None means all; ``origins`` None means all. A repeated or skipped hour of a clock change moves no
    count: totals over cells are the totals of the range.
    """
    raise NotImplementedError


def by_position_item(
    read: Read, *, campaign: str | None, start: int, end: int, origins: Sequence[str] | None = None
) -> list[Cell]:
    """Return cells by position (``a``: 1 is the top) and item id (``b``); per item ``decisions`` are not counted."""
    raise NotImplementedError


def by_segment(
    read: Read, *, campaign: str | None = None, start: int, end: int, origins: Sequence[str] | None = None
) -> list[Cell]:
    """Return cells by segment (``a``: ``attribute=value``) and campaign (``b``)."""
    raise NotImplementedError


def totals(
    read: Read, *, start: int, end: int, origins: Sequence[str] | None = None, by: Sequence[str] = ("campaign",)
) -> list[Cell]:
    """Return sums by ``campaign``, ``origin`` or ``start`` (at most two of them: ``a`` and ``b``; none: one cell)."""
    raise NotImplementedError


def campaign_span(read: Read, campaign: str | None = None) -> tuple[int, int] | None:
    """Return start and end of what is known of a campaign (of all), or None when there is nothing."""
    raise NotImplementedError
