"""What serves where the model may not: the rungs of the ladder, first one that has something to say."""

from collections.abc import Callable, Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray

from scoring_core.candidates.popular import POPULARITY
from scoring_core.candidates.sources import MOST_CANDIDATES
from scoring_core.features.table import Ordinals, statistics
from scoring_core.live import ItemFeatures
from scoring_core.scorers.protocol import Floats
from storage.records.policies import FallbackRung

_FALLING = 1.0 / np.arange(1, MOST_CANDIDATES + 1, dtype=np.float64)
_FALLING.flags.writeable = False


class Rung(msgspec.Struct, frozen=True):
    """A rung that serves, and its score per candidate; higher is better."""

    name: FallbackRung
    values: Floats


def climb(
    ladder: tuple[FallbackRung, ...], ordinals: Ordinals, *, items: ItemFeatures, best: NDArray[np.int64] | None
) -> Rung:
    """Return the first rung that can tell candidates apart, else the order in which they came.

    ``best`` are the ordinals of the best variants of this surface and campaign, best first.
    """
    for name in ladder:
        values = RUNGS[name](ordinals, items, best)
        if values is not None:
            return Rung(name, values)
    return Rung("caller", _caller(ordinals, items, best))


def _best_variant(ordinals: Ordinals, _: ItemFeatures, best: NDArray[np.int64] | None) -> Floats | None:
    if best is None or not best.size:
        return None
    place = {ordinal: rank for rank, ordinal in enumerate(best.tolist())}
    values = np.array([1.0 / (1 + place[each]) if each in place else 0.0 for each in ordinals.tolist()])
    return values if values.any() else None


def _popular(ordinals: Ordinals, items: ItemFeatures, _: NDArray[np.int64] | None) -> Floats | None:
    values: Floats = np.fmax(statistics(items, ordinals)[:, POPULARITY], 0.0)  # never negative; missing counts as none
    return values if np.count_nonzero(values) else None


def _caller(ordinals: Ordinals, _: ItemFeatures, __: NDArray[np.int64] | None) -> Floats:
    return _FALLING[: len(ordinals)]


RUNGS: Mapping[FallbackRung, Callable[[Ordinals, ItemFeatures, NDArray[np.int64] | None], Floats | None]] = {
    "best_variant": _best_variant,
    "popular": _popular,
    "caller": _caller,
}
