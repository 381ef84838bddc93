"""What the fairness audit measures on impressions."""

from collections.abc import Callable, Mapping

import numpy as np

from governance.checks.population import Measure
from governance.checks.shown import Impressions

DECILES = 10
NOTHING_TOLD = "nothing in this population says it"


def _exposure(shown: Impressions) -> Measure | str:
    positions = np.unique(shown.position)
    if len(positions) < 2:
        return "everything was shown at one position"
    return Measure(
        name="exposure",
        words="exposure",
        outcomes=np.searchsorted(positions, shown.position),
        values=1.0 / np.log2(1.0 + positions),
    )


def _click_rate(shown: Impressions) -> Measure | str:
    return Measure(name="click_rate", words="click rate", outcomes=shown.clicked)


def _benefit(shown: Impressions) -> Measure | str:
    if not (shown.reached >= 0).any():
        return "no campaign here has a goal other than the outcome"
    return Measure(name="benefit", words="benefit (the campaign's goal reached)", outcomes=shown.reached)


def _selection_rate(shown: Impressions) -> Measure | str:
    if not shown.model.any():
        return "the model chose none of these impressions"
    if shown.model.all():
        return "the model chose every one of these impressions"
    return Measure(name="selection_rate", words="selection rate (chosen by the model)", outcomes=shown.model)


def _tpr(shown: Impressions) -> Measure | str:
    first = shown.position == 1
    if not first.any() or first.all():
        return "everything was shown at the first place, or nothing was"
    outcomes = np.where(shown.clicked == 1, first, -1)
    words = "true positive rate (clicked items that stood first)"
    return Measure(name="tpr", words=words, outcomes=outcomes, unit="clicks")


def _calibration(shown: Impressions) -> Measure | str:
    """Clicks at equal score: within tenths of the score of each scorer and model."""
    known = np.isfinite(shown.score)
    if not known.any():
        return "no score is recorded with these impressions"
    strata = np.full(shown.rows, -1, dtype=np.int64)
    scorers = shown.groups("scorer").codes
    for scorer in np.unique(scorers[known]):
        mine = known & (scorers == scorer)
        edges = np.unique(np.quantile(shown.score[mine], np.arange(1, DECILES) / DECILES))
        strata[mine] = scorer * DECILES + np.searchsorted(edges, shown.score[mine], side="right")
    words = "click rate at equal score (calibration)"
    return Measure(name="calibration", words=words, outcomes=shown.clicked, strata=strata)


MEASURES: Mapping[str, Callable[[Impressions], Measure | str]] = {
    "exposure": _exposure,
    "click_rate": _click_rate,
    "benefit": _benefit,
    "selection_rate": _selection_rate,
    "tpr": _tpr,
    "calibration": _calibration,
}
"""Each gives what it measures, or why it cannot be had."""


def measured(shown: Impressions, names: tuple[str, ...]) -> tuple[tuple[Measure, ...], dict[str, str]]:
    """Return the measures that the impressions allow, and why the others are left out."""
    found, left_out = [], {}
    for name in names:
        told = MEASURES[name](shown) if shown.rows else NOTHING_TOLD
        if isinstance(told, str):
            left_out[name] = told
        else:
            found.append(told)
    return tuple(found), left_out
