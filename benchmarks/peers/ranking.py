"""What every peer's handler runs: our feature lookup, then LightGBM's predict of the engine's trees on one thread.

Runs in the peers' environments, so it imports nothing of Fairlead.
"""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import lightgbm
import numpy as np

FOLDER = "FAIRLEAD_PEER_FOLDER"


class Ranking:
    """The items' features and the model, as ``benchmarks.peers.work`` left them in a folder."""

    def __init__(self, folder: Path) -> None:
        layout = json.loads((folder / "layout.json").read_text())
        self._items = np.load(folder / "items.npy")
        self._ordinals = {item: ordinal for ordinal, item in enumerate(layout["items"])}
        self.names: list[str] = layout["context"]
        self._columns = slice(layout["first"], layout["first"] + len(self.names))
        self._booster = lightgbm.Booster(model_file=str(folder / "model.txt"))

    def rank(self, candidates: Sequence[str], context: Mapping[str, float], slots: int) -> list[dict[str, str | float]]:
        """Return the best items and their scores."""
        table = self._items.take([self._ordinals[item] for item in candidates], axis=0)
        table[:, self._columns] = [context[name] for name in self.names]
        scores = np.asarray(self._booster.predict(table, raw_score=True, num_threads=1))
        best = np.argsort(-scores)[:slots]
        return [{"item": candidates[place], "score": float(scores[place])} for place in best]


def opened() -> Ranking:
    """Return the ranking of the folder that the environment names."""
    return Ranking(Path(os.environ[FOLDER]))
