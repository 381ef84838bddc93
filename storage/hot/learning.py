"""The one step by which a subject's vector learns; every hot store computes exactly this."""

import math
from collections.abc import Sequence

import numpy as np

from storage.hot.protocol import Signal
from storage.records.clock import SECOND
from storage.records.subjects import USER_DIMENSIONS, UserState

VECTOR_BYTES = 4 * USER_DIMENSIONS
_FLOAT32 = np.dtype("<f4")


def check(signals: Sequence[Signal]) -> None:
    """Refuse what could not be learned by any store.

    Raises
    ------
    ValueError
        If a vector is not ``USER_DIMENSIONS`` float32 long, a weight is not finite or a half-life not above zero.
    """
    for signal in signals:
        if len(signal.vector) != VECTOR_BYTES:
            raise ValueError(f"a signal's vector has {VECTOR_BYTES} bytes")
        if not math.isfinite(signal.weight) or not signal.half_life_s > 0.0:
            raise ValueError("a signal's weight is finite and its half-life above zero")


def learned(before: UserState | None, signal: Signal) -> UserState:
    """Return the state after one signal.

    With t the later of the state's and the signal's instant and h the half-life, the new vector is
    v·2^(−(t−t_v)/h) + w·2^(−(t−t_s)/h)·x: exponential decay, and a signal that comes late counts as if it had come in
    time. Computed in float64, rounded to float32 once per step.
    """
    addition = np.frombuffer(signal.vector, _FLOAT32).astype(np.float64)
    if before is None or len(before.vector) != VECTOR_BYTES:
        return UserState(vector=_round(signal.weight * addition), updated_at=signal.at, events=1)
    at = max(before.updated_at, signal.at)
    kept = np.frombuffer(before.vector, _FLOAT32).astype(np.float64)
    fade = _fade(at - before.updated_at, signal.half_life_s)
    weight = signal.weight * _fade(at - signal.at, signal.half_life_s)
    return UserState(vector=_round(kept * fade + addition * weight), updated_at=at, events=before.events + 1)


def _fade(elapsed_us: int, half_life_s: float) -> float:
    return math.pow(2.0, -elapsed_us / (half_life_s * SECOND))


def _round(vector: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> bytes:
    return vector.astype(_FLOAT32).tobytes()
