"""What serves: the model where it is sure, else the first rung of the ladder that can."""

from collections.abc import Callable

import msgspec
import numpy as np

from scoring_core.confidence import Confidence, confidence, model_serves
from scoring_core.fallback import Rung
from scoring_core.features.table import Ordinals
from scoring_core.plan import PlannedPolicy
from scoring_core.scorers.protocol import Floats, Scores
from storage.records.decisions import SCORE_DTYPE, ServedBy

NO_CONFIDENCE = Confidence(None, None, None)
NO_ENSEMBLE = Confidence(None, None, "no_ensemble")
BASE_REASONS = {"popular": "popular", "null": "caller"}


class Ranked(msgspec.Struct, frozen=True):
    """What serves, why, how sure the model is, and the score of each row."""

    served_by: ServedBy
    reason: str
    base: str
    sure: Confidence
    values: Floats


def score(planned: PlannedPolicy, table: Floats | None) -> Scores | None:
    """Score the table; None where there is no model, or it fails, or gives something that is no number."""
    if planned.model is None or table is None:
        return None
    try:
        scores = planned.model.scorer.score(table)
    except Exception:  # any plugin's mistake: the fallback serves, and the reason is counted
        return None
    whole = len(scores.values) == len(table) == np.count_nonzero(np.isfinite(scores.values))
    return scores if whole else None


def rank(planned: PlannedPolicy, scores: Scores | None, ladder: Callable[[], Rung]) -> Ranked:
    """Let the model serve, or the ladder's first rung that can."""
    if planned.model is None or scores is None:
        rung = ladder()
        reason = "model_missing" if planned.model is None else "scorer_failed"
        return Ranked("fallback", reason, rung.name, NO_CONFIDENCE, rung.values)
    base = BASE_REASONS.get(planned.policy.scorer.name, "model")
    if not scores.members.shape[1] or not len(scores.values):
        return Ranked("model", "ok", base, NO_ENSEMBLE, scores.values)
    rung = ladder()
    top, fallback_top = int(scores.values.argmax()), int(rung.values.argmax())
    sure = confidence(scores, top=top, fallback_top=fallback_top, calibration=planned.model.calibration)
    if model_serves(sure, planned.policy.confidence):
        return Ranked("model", "ok", base, sure, scores.values)
    return Ranked("fallback", sure.reason or "low_confidence", rung.name, sure, rung.values)


def all_scores(count: int, places: Ordinals, scores: Scores | None) -> bytes:
    """Return one score per candidate, NaN where it was not scored; nothing where nothing was."""
    if scores is None:
        return b""
    if len(places) == count:
        return scores.values.astype(SCORE_DTYPE).tobytes()
    spread = np.full(count, np.nan, dtype=SCORE_DTYPE)
    spread[places] = scores.values
    return spread.tobytes()
