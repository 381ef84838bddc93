"""How sure the model is that its top pick beats the fallback's."""

from typing import Literal

import msgspec
import numpy as np

from scoring_core.scorers.protocol import Scores
from storage.records.models import Calibration
from storage.records.policies import ConfidenceRule

NullReason = Literal["agree", "uncalibrated", "no_ensemble"]


class Confidence(msgspec.Struct, frozen=True):
    """``raw`` is the share of members that put the model's pick above the fallback's, ``value`` what calibration makes
    of it; where ``value`` is None, ``reason`` says why."""

    raw: float | None
    value: float | None
    reason: NullReason | None


def confidence(scores: Scores, *, top: int, fallback_top: int, calibration: Calibration) -> Confidence:
    """Weigh the model's top row against the fallback's.

    ``raw`` counts ties half. ``value`` estimates P(the model's pick has the outcome and the fallback's not | exactly
    one has), by the isotonic map fitted on held-out pairs, linear between its knots and flat beyond them. A scorer
    that is no ensemble has nothing to weigh.

    References
    ----------
    Zadrozny, Elkan, Transforming classifier scores into accurate multiclass probability estimates, KDD 2002.
    """
    if scores.members.shape[1] == 0:
        return Confidence(None, None, "no_ensemble")
    if top == fallback_top:
        return Confidence(None, None, "agree")
    ours, theirs = scores.members[top], scores.members[fallback_top]
    raw = (int(np.count_nonzero(ours > theirs)) + 0.5 * int(np.count_nonzero(ours == theirs))) / len(ours)
    if calibration.status == "uncalibrated" or not calibration.x:
        return Confidence(raw, None, "uncalibrated")
    return Confidence(raw, float(np.interp(raw, calibration.x, calibration.y)), None)


def model_serves(found: Confidence, rule: ConfidenceRule) -> bool:
    """Tell whether the model may serve under a policy's rule."""
    if found.value is not None:
        return found.value >= rule.threshold
    return found.reason != "uncalibrated" or rule.when_uncalibrated == "model"
