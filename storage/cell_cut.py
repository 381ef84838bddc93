"""Which heatmap cells are asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import false, or_
from sqlmodel import col

from storage.tables.observed import CellRow


@dataclass(frozen=True, slots=True)
class Cut:
    """Which cells are asked for."""

    cube: str
    start: int
    end: int
    campaign: str | None = None
    origins: Sequence[str] | None = None
    a: Sequence[str] | None = None
    b: Sequence[str] | None = None
    within: Sequence[tuple[int, int]] | None = None

    def conditions(self) -> list[Any]:
        """Return what a row must meet."""
        found: list[Any] = [CellRow.cube == self.cube, CellRow.start >= self.start, CellRow.start < self.end]
        if self.campaign is not None:
            found.append(CellRow.campaign == self.campaign)
        if self.origins is not None:
            found.append(col(CellRow.origin).in_(self.origins))
        for column, held in ((CellRow.a, self.a), (CellRow.b, self.b)):
            if held is not None:
                found.append(col(column).in_(held))
        if self.within is not None:
            ranges = [(col(CellRow.start) >= first) & (col(CellRow.start) < last) for first, last in self.within]
            found.append(or_(false(), *ranges))
        return found
