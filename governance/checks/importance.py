"""How much the ranker in service goes by each feature: the share of its trees' gain."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from scoring_core.scorers.gbdt import member_file
from storage import registry
from storage.database import Read


def importance_of(read: Read, home: Path) -> Mapping[str, float]:
    """Return each feature's share of the gain of all splits (Breiman et al., 1984), summed over the ensemble; nothing
    where no such model serves, or its files are gone."""
    model = next((each for each in registry.in_service(read).values() if each.kind == "gbdt"), None)
    files = [home / model.path / member_file(member) for member in range(model.members)] if model else []
    if model is None or not files or not all(file.is_file() for file in files):
        return {}
    from lightgbm import Booster

    gains = np.sum([Booster(model_file=str(file)).feature_importance("gain") for file in files], axis=0)
    if len(gains) != len(model.features) or not gains.sum():
        return {}
    return {name: float(gain / gains.sum()) for name, gain in zip(model.features, gains, strict=True)}
