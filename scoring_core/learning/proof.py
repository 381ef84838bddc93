"""Whether a probability came true: calibration error and skill on held-out time, with intervals over people."""

from typing import Literal

import numpy as np

from scoring_core.learning.acts import Whole
from scoring_core.scorers.protocol import Floats
from storage.records.models import Calibration, Reliability

BINS = 10
MAX_ERROR = 0.05
REPLICATES = 1_000
LEAST = 1e-6
ENDS = (2.5, 97.5)


def isotonic(said: Floats, outcome: Floats) -> tuple[Floats, Floats]:
    """Return the knots of the growing map of what was said onto what came true (pool adjacent violators)."""
    from sklearn.isotonic import IsotonicRegression

    fitted = IsotonicRegression(out_of_bounds="clip").fit(said, outcome)
    return np.asarray(fitted.X_thresholds_, dtype=np.float64), np.asarray(fitted.y_thresholds_, dtype=np.float64)


def proof(
    outcome: Floats, predicted: Floats, *, constant: float, x: Floats, y: Floats, cluster: Whole | None = None
) -> Calibration:
    """Judge probabilities against outcomes that nothing was fitted on: error over ten equal-mass bins, Brier skill over
    ``constant``; intervals by resampling ``cluster`` (each row by itself where there is none)."""
    owner = np.arange(len(outcome)) if cluster is None else np.unique(cluster, return_inverse=True)[1]
    count = int(owner.max()) + 1
    bins = equal_mass(predicted)
    width = int(bins.max()) + 1
    gap = np.zeros((count, width))
    np.add.at(gap, (owner, bins), outcome - predicted)
    losses = [np.bincount(owner, weights=each) for each in ((predicted - outcome) ** 2, (constant - outcome) ** 2)]
    sums = np.column_stack([gap, np.bincount(owner), *losses])

    def figures(total: Floats) -> tuple[Floats, Floats]:
        error = np.abs(total[:, :width]).sum(axis=1) / total[:, width]
        return error, 1.0 - total[:, width + 1] / total[:, width + 2]

    error, skill = figures(sums.sum(axis=0)[None])
    errors, skills = figures(resampled(sums))
    error_low, error_high = np.percentile(errors, ENDS).tolist()
    skill_low, skill_high = np.percentile(skills, ENDS).tolist()
    status: Literal["proven", "unproven"] = "proven" if error_high <= MAX_ERROR and skill_low > 0.0 else "unproven"
    return Calibration(
        status=status,
        x=tuple(x.tolist()),
        y=tuple(y.tolist()),
        clicked_impressions=int(outcome.sum()),
        pairs=len(outcome),
        error=float(error[0]),
        error_low=error_low,
        error_high=error_high,
        skill=float(skill[0]),
        skill_low=skill_low,
        skill_high=skill_high,
        bins=tuple(
            Reliability(
                predicted=float(predicted[bins == each].mean()),
                observed=float(outcome[bins == each].mean()),
                count=int((bins == each).sum()),
            )
            for each in range(width)
        ),
    )


def words(found: Calibration) -> str:
    """Return what a page may say of it, in one sentence."""
    said = "Calibration proven" if found.status == "proven" else "Calibration not proven"
    return (
        f"{said}: mean error {found.error:.3f} [{found.error_low:.3f}, {found.error_high:.3f}], Brier skill "
        f"{found.skill:+.3f} [{found.skill_low:+.3f}, {found.skill_high:+.3f}]."
    )


def resampled(sums: Floats) -> Floats:
    """Return a thousand bootstrap totals of rows, one row per independent unit."""
    rng = np.random.Generator(np.random.PCG64(0))
    equal = np.full(len(sums), 1.0 / len(sums))
    return np.stack([rng.multinomial(len(sums), equal).astype(np.float64) @ sums for _ in range(REPLICATES)])


def mean_interval(values: Floats) -> tuple[float, float, float]:
    """Return a mean with the ends of its 95 % bootstrap interval."""
    low, high = np.percentile(resampled(values[:, None])[:, 0] / len(values), ENDS).tolist()
    return float(values.mean()), low, high


def clustered_interval(values: Floats, cluster: Whole) -> tuple[float, float, float]:
    """Return a mean with the ends of its 95 % bootstrap interval, whole clusters being drawn."""
    owner = np.unique(cluster, return_inverse=True)[1]
    total = resampled(np.column_stack([np.bincount(owner, weights=values), np.bincount(owner)]))
    low, high = np.percentile(total[:, 0] / total[:, 1], ENDS).tolist()
    return float(values.mean()), low, high


def equal_mass(predicted: Floats) -> Whole:
    """Cut predictions into at most ten bins of equal number; equal predictions share a bin.

    >>> equal_mass(np.array([0.1, 0.9, 0.1, 0.9])).tolist()
    [0, 1, 0, 1]
    """
    _, place, counts = np.unique(predicted, return_inverse=True, return_counts=True)
    middle = (np.cumsum(counts) - counts / 2.0) / len(predicted)
    _, bins = np.unique(np.minimum((middle * BINS).astype(np.int64), BINS - 1), return_inverse=True)
    return np.asarray(bins[place], dtype=np.int64)


def log_losses(outcome: Floats, predicted: Floats) -> Floats:
    """Return −ln of the probability given to what came true, at most 13.8."""
    bounded = np.clip(predicted, LEAST, 1.0 - LEAST)
    lost: Floats = -np.log(np.where(outcome > 0.5, bounded, 1.0 - bounded))
    return lost
