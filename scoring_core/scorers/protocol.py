"""What every scorer promises."""

from typing import Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Draw(Protocol):
    """How a scorer that samples chooses: the exact distribution over the rows that are left at a slot."""

    def chances(self, left: NDArray[np.int64], values: Floats) -> Floats:
        """Return the probability of each row of ``left``, summing to 1; ``values`` are all rows' scores after rules."""


class Scores(msgspec.Struct, frozen=True):
    """One score per candidate (higher is better, finite), and what each ensemble member gave: shape (n, members),
    with no columns for a scorer that is no ensemble; ``draw`` where the scorer samples instead of taking the best."""

    values: Floats
    members: Floats
    draw: Draw | None = None


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
