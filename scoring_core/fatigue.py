"""Fatigue: impressions without an answer, fading."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from storage.records.decisions import CANDIDATE_DTYPE, Decision

FATIGUE_DTYPE = "<f4"
Floats = NDArray[np.float64]
Ordinals = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Weariness:
    """What tires a person: fatigue over all, of the campaign, and of each catalogue ordinal that tires at all.

    Fatigue is the sum over impressions without an outcome of 2^(−age / half-life): an exponentially decayed count
    (Cormode et al., *Forward Decay*, ICDE 2009).
    """

    person: float
    campaign: float
    items: tuple[tuple[int, float], ...] = ()

    def of(self, ordinals: Ordinals) -> NDArray[np.float32]:
        """Return the person's and the campaign's fatigue, then each ordinal's, as the record keeps them."""
        values = np.zeros(2 + len(ordinals), dtype=FATIGUE_DTYPE)
        values[:2] = self.person, self.campaign
        if self.items:
            known = dict(self.items)
            values[2:] = [known.get(ordinal, 0.0) for ordinal in ordinals.tolist()]
        return values


@dataclass(frozen=True, slots=True, eq=False)
class Tired:
    """The fatigue of one decision's rows, in the record's precision."""

    person: float
    campaign: float
    items: Floats


def tired(weariness: Weariness | None, ordinals: Ordinals, places: Ordinals) -> tuple[bytes, Tired | None]:
    """Return the record's bytes for the candidates ``ordinals``, and as numbers those at ``places`` that are left."""
    if weariness is None:
        return b"", None
    values = weariness.of(ordinals)
    return values.tobytes(), Tired(float(values[0]), float(values[1]), values[2:][places].astype(np.float64))


def wearied(values: Floats, items: Floats, tolerance: float) -> Floats:
    """Return scores that ``tolerance`` unanswered impressions halve; one below zero is doubled instead, so that what
    tires always sinks."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # a forged record may hold anything
        factor = np.exp2(-items / tolerance)
        sunk: Floats = np.where(values < 0.0, values / factor, values * factor)
    return sunk


def recalled_fatigue(record: Decision) -> Weariness | None:
    """Return what ``record`` says of fatigue."""
    if not record.fatigue:
        return None
    values = np.frombuffer(record.fatigue, dtype=FATIGUE_DTYPE).tolist()
    ordinals = np.frombuffer(record.candidates, dtype=CANDIDATE_DTYPE).tolist()
    return Weariness(values[0], values[1], tuple(zip(ordinals, values[2:], strict=True)))
