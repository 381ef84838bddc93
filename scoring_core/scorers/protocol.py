"""What every scorer promises."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scores:
    """One score per candidate (higher is better, finite), and what each ensemble member gave: shape (n, members),
    with no columns for a scorer that is no ensemble."""

    values: Floats
    members: Floats


class Scorer(Protocol):
    """Ranks candidates by a feature table. Deterministic: the same table gives the same bytes.

    ``features`` names the columns that it wants, in order; the table has shape (n, len(features)), float64, C order,
    missing values NaN; n may be 0 or 1.
    """

    name: str
    version: str
    digest: str
    features: tuple[str, ...]

    def score(self, table: Floats) -> Scores:
        """Score every row."""
