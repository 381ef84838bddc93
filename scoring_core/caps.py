"""Frequency caps: what a person has been shown often enough."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring_core.features.table import Ordinals
from scoring_core.live import Shelf
from storage.records.caps import Cap


@dataclass(frozen=True, slots=True)
class Held:
    """Which rows may still be shown (None: all), the keys of the caps that held something back, and the counts that
    were looked at, for the record."""

    kept: NDArray[np.bool_] | None = None
    caps: tuple[str, ...] = ()
    counts: Mapping[str, int] | None = None


def hold(
    caps: tuple[Cap, ...],
    ordinals: Ordinals,
    *,
    counts: Mapping[str, int],
    shelf: Shelf,
    campaign: str | None,
) -> Held:
    """Hold back the rows whose counter has reached its cap."""
    if not caps or not counts:
        return Held()
    return Held(counts=counts)
