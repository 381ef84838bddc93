"""LambdaRank from the lake: the ranker's trees, fitted to the order within each list that was shown."""

from collections.abc import Sequence
from pathlib import Path

from scoring_core.learning.train import train
from storage.database import Database
from storage.lake import Lake
from storage.records.models import ModelVersion


def train_lambdarank(
    database: Database,
    lake: Lake,
    home: Path,
    *,
    name: str = "lambdarank",
    now: int,
    seed: int,
    origins: Sequence[str] = ("imported",),
) -> ModelVersion:
    """Train, evaluate, calibrate and register as ``learning.train.train`` does, with the objective of LambdaRank.

    Raises
    ------
    Invalid
        If the lake holds too little, or no list with a clicked item beside an unclicked one.
    """
    return train(database, lake, home, name=name, now=now, seed=seed, origins=origins, objective="lambdarank")
