"""The LightGBM ranker: half-sampled members, compiled trees, exact attributions."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from scoring_core.live import Model
from scoring_core.scorers.protocol import Floats, Scores
from scoring_core.scorers.trees import Forest, compile_forest
from storage.errors import Unavailable
from storage.records.models import ModelVersion


def member_file(member: int) -> str:
    """Return the name of a member's file in the model's folder."""
    return f"member-{member:02d}.txt"


def digest(texts: Sequence[str]) -> str:
    """Return the SHA-256 over all members' texts, in hex."""
    whole = sha256()
    for text in texts:
        whole.update(sha256(text.encode()).digest())
    return whole.hexdigest()


@dataclass(eq=False)
class GbdtScorer:
    """Scores with every member of an ensemble in one pass.

    A row's value is the mean of the members' raw scores (log-odds).
    """

    name: str
    version: str
    digest: str
    features: tuple[str, ...]
    texts: tuple[str, ...] = field(repr=False)
    forest: Forest = field(repr=False)

    def score(self, table: Floats) -> Scores:
        """Score every row."""
        values, members = self.forest.score(table)
        return Scores(values=values, members=members)

    @cached_property
    def boosters(self) -> tuple[Any, ...]:
        """The members as LightGBM's own objects; loaded when first asked for."""
        from lightgbm import Booster

        return tuple(Booster(model_str=text) for text in self.texts)


def disagreements(scorer: GbdtScorer, table: Floats) -> int:
    """Count the scores that differ from LightGBM's own predict in any bit."""
    reference = np.stack([booster.predict(table, raw_score=True, num_threads=1) for booster in scorer.boosters], axis=1)
    return int(np.count_nonzero(scorer.score(table).members != reference))


def probe(forest: Forest, rows: int, rng: np.random.Generator) -> Floats:
    """Return a table that hits the edges of a forest: its thresholds, their neighbours, zero, infinities, missing."""
    table = rng.normal(size=(rows, forest.columns))
    for column in range(forest.columns):
        bounds = forest.threshold[forest.feature == column]
        edges = np.concatenate(
            [bounds, np.nextafter(bounds, np.inf), np.nextafter(bounds, -np.inf), [0.0, -0.0, 1e-36, np.inf, -np.inf]]
        )
        chosen = rng.random(rows)
        table[:, column] = np.where(chosen < 0.7, rng.choice(edges, rows), table[:, column])
        table[chosen > 0.9, column] = np.nan
    return table


def scorer_of(model: ModelVersion, texts: Sequence[str]) -> GbdtScorer:
    """Compile a model's texts."""
    return GbdtScorer(
        name=model.name,
        version=model.version,
        digest=model.digest,
        features=model.features,
        texts=tuple(texts),
        forest=compile_forest(texts),
    )


def load(model: ModelVersion, home: Path) -> Model:
    """Load a registered model version from its folder below ``home``.

    Raises
    ------
    Unavailable
        If a file is missing or does not hash to what the registry says.
    """
    folder = home / model.path
    try:
        texts = [(folder / member_file(member)).read_text(encoding="utf-8") for member in range(model.members)]
    except OSError:
        raise Unavailable(f"model {model.name} {model.version}: a file is missing from its folder") from None
    if digest(texts) != model.digest:
        raise Unavailable(f"model {model.name} {model.version}: its files are not those that were registered")
    return Model(scorer=scorer_of(model, texts), calibration=model.calibration, categories=model.categories)
