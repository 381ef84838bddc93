"""A blend: several scorers and retrievers, each made comparable within the request, then weighed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from scoring_core.live import Model
from scoring_core.scorers.protocol import Floats, Scorer, Scores

Normalisation = Literal["rank", "z"]


def ranks(values: Floats) -> Floats:
    """Return each value's place from 0 (lowest) to 1 (highest), equals sharing theirs; ½ for the unknown and for one
    alone.

    >>> ranks(np.array([3.0, 1.0, np.nan, 3.0])).tolist()
    [0.75, 0.0, 0.5, 0.75]
    """
    found = np.full(len(values), 0.5)
    known = np.flatnonzero(np.isfinite(values))
    if len(known) > 1:
        _, inverse, counts = np.unique(values[known], return_inverse=True, return_counts=True)
        highest = counts.cumsum()
        found[known] = (highest - (counts + 1) / 2.0)[inverse] / (len(known) - 1)
    return found


def standard(values: Floats) -> Floats:
    """Return (v − mean) / deviation over the known values; 0 for the unknown and where all are equal.

    >>> standard(np.array([1.0, 3.0, np.nan])).tolist()
    [-1.0, 1.0, 0.0]
    """
    known = np.isfinite(values)
    if not known.any():
        return np.zeros(len(values))
    deviation = float(values[known].std())
    centred = np.where(known, values, 0.0) - values[known].mean()
    return np.where(known, centred / deviation, 0.0) if 0.0 < deviation < np.inf else np.zeros(len(values))


NORMALISE: Mapping[Normalisation, Callable[[Floats], Floats]] = {"rank": ranks, "z": standard}


@dataclass(frozen=True, slots=True)
class Part:
    """What is blended: a model, or the retriever of that name; and its weight."""

    weight: float
    model: Model | None = None
    retriever: str = ""


class HybridScorer:
    """Scores by the weighted mean of its parts' normalised scores.

    The score of a row depends on the rows beside it, by intent: a rank or a z-score says how it stands among them.
    Parts that sample do not sample here: their expectation is blended. Neither is the blend an ensemble, since its
    parts' calibration says nothing of it.

    Parameters
    ----------
    parts
        At least one, the weights not negative, their sum above zero.
    normalise
        ``rank`` or ``z``.
    version
        Tells which versions of trained models are within; recorded, and asked for by a replay.
    """

    name = "hybrid"

    def __init__(self, parts: tuple[Part, ...], *, normalise: Normalisation = "rank", version: str = "1") -> None:
        self.version = version
        self._parts = parts
        self._normalise = NORMALISE[normalise]
        self._total = sum(part.weight for part in parts)
        models = [part.model for part in parts if part.model is not None]
        self.categories = _together(models)
        names = [f"model.{part.retriever}" for part in parts if part.model is None]
        names += [name for model in models for name in model.scorer.features]
        self.features = tuple(dict.fromkeys(names))
        self._views = tuple(_view(part, self.features, self.categories) for part in parts)
        self.digest = sha256("".join(["hybrid/1", *(model.scorer.digest for model in models)]).encode()).hexdigest()

    def parts(self, table: Floats) -> tuple[tuple[str, ...], Floats]:
        """Return what each part adds to the blend of these rows, under the part's name."""
        names = [
            part.model.scorer.name if part.model is not None else f"model.{part.retriever}" for part in self._parts
        ]
        found = np.empty((len(table), len(self._parts)))
        for place, (part, view) in enumerate(zip(self._parts, self._views, strict=True)):
            if len(table):
                found[:, place] = part.weight / self._total * self._normalise(view(table))
        return tuple(names), found

    def score(self, table: Floats) -> Scores:
        """Return the blend."""
        values = np.zeros(len(table))
        if len(table):
            for part, view in zip(self._parts, self._views, strict=True):
                values += part.weight / self._total * self._normalise(view(table))
        return Scores(values, np.empty((len(table), 0)))


class Bundle:
    """Several models as one entry of a record: names and versions joined by ``+``. It holds them; it scores nothing."""

    features: tuple[str, ...] = ()

    def __init__(self, models: Mapping[str, Model]) -> None:
        self.models = models
        self.name, self.version = joined(models)
        self.digest = "+".join(model.scorer.digest for model in models.values())

    def score(self, table: Floats) -> Scores:
        """Return zeros."""
        return Scores(np.zeros(len(table)), np.empty((len(table), 0)))


def joined(models: Mapping[str, Model]) -> tuple[str, str]:
    """Return the models' names and versions as a record names them."""
    return "+".join(models), "+".join(model.scorer.version for model in models.values())


def _together(models: list[Model]) -> dict[str, tuple[str, ...]]:
    """Return the categories of all models: per feature every value that any of them knows."""
    found: dict[str, dict[str, None]] = {}
    for model in models:
        for name, values in model.categories.items():
            found.setdefault(name, {}).update(dict.fromkeys(values))
    return {name: tuple(values) for name, values in found.items()}


def _view(
    part: Part, features: tuple[str, ...], categories: Mapping[str, tuple[str, ...]]
) -> Callable[[Floats], Floats]:
    """Return how a part sees the common table: its own columns, its own codes."""
    if part.model is None:
        at = features.index(f"model.{part.retriever}")
        return lambda table: table[:, at]
    scorer: Scorer = part.model.scorer
    columns = np.array([features.index(name) for name in scorer.features], dtype=np.int64)
    codes: list[tuple[int, NDArray[np.float64]]] = []
    for place, name in enumerate(scorer.features):
        own = {value: float(code) for code, value in enumerate(part.model.categories.get(name, ()))}
        if name in categories and tuple(own) != categories[name]:
            codes.append((place, np.array([own.get(value, np.nan) for value in categories[name]])))

    def view(table: Floats) -> Floats:
        mine = np.ascontiguousarray(table[:, columns])
        for place, code in codes:
            common = mine[:, place]
            known = (common >= 0) & (common < len(code))
            mine[:, place] = np.where(known, code[np.where(known, common, 0.0).astype(np.int64)], np.nan)
        return scorer.score(mine).values

    return view
