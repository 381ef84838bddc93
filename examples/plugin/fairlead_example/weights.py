"""A model plugin: a linear model that other software trained, read from ``weights.json`` of a registered version."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Linear:
    """Scores by a weighted sum of features, unknown ones as zero."""

    def __init__(self, weights: Mapping[str, float]) -> None:
        self.features = tuple(weights)
        self._weights = np.array(list(weights.values()))

    def score(self, table: Floats) -> Floats:
        """Return one finite number per row, higher is better."""
        return (np.nan_to_num(table) * self._weights).sum(axis=1)


class Weights:
    """What the entry point names: it loads a version's files."""

    name = "weights"
    version = "1.0.0"
    protocol = 1

    def load(self, folder: Path, settings: Mapping[str, Any]) -> Linear:
        """Return the model; ``settings`` may turn its order round."""
        sign = -1.0 if settings.get("reversed") else 1.0
        weights = json.loads((folder / "weights.json").read_text("utf-8"))
        return Linear({str(name): sign * float(value) for name, value in weights.items()})
