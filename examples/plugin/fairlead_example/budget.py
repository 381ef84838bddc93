"""A scorer plugin: the nearer an item's price is to a budget, the better."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class NearBudget:
    """Scores by how near the price is to ``amount``; an item without a price comes last."""

    features = ("item.price",)

    def __init__(self, amount: float) -> None:
        self._amount = amount

    def score(self, table: Floats) -> Floats:
        """Return one finite number per row, higher is better."""
        away: Floats = np.abs(table[:, 0] - self._amount)
        return np.where(np.isnan(away), 0.0, 1.0 / (1.0 + away))


class Budget:
    """What the entry point names: it makes the scorer from a policy's settings."""

    name = "budget"
    version = "1.0.0"
    protocol = 1

    def scorer(self, settings: Mapping[str, Any]) -> NearBudget:
        """Return the scorer; whatever is raised here refuses the settings."""
        unknown = set(settings) - {"amount"}
        if unknown:
            raise ValueError(f"unknown settings: {', '.join(sorted(unknown))}")
        return NearBudget(float(settings.get("amount", 50.0)))
