"""May confidence be believed: the calibration of every model in service, as its held-out pairs prove or refute it."""

from governance.checks.check import Check, Finding, Ground, gravest, unknown
from storage import registry
from storage.records.findings import Verdict
from storage.records.models import Calibration, ModelVersion

MOST_ERROR = 0.05
SCORING = frozenset({"gbdt"})
"""Kinds of models whose confidence decides."""


def _verdict(calibration: Calibration) -> Verdict:
    if calibration.status == "proven":
        return "pass"
    refuted = calibration.error_low is not None and calibration.error_low > MOST_ERROR
    return "fail" if refuted else "unknown"


def _told(model: ModelVersion) -> str:
    known = model.calibration
    if known.error is None:
        return f"{model.name} {model.version} is uncalibrated"
    more = f", about {known.outcomes_missing:,} more outcomes needed" if known.outcomes_missing else ""
    low, high = known.error_low or 0.0, known.error_high or 1.0
    return f"{model.name} {model.version}: error {known.error:.3f} ({low:.3f}–{high:.3f}), {known.status}{more}"


def look(ground: Ground) -> Finding:
    """Read the registry."""
    serving = [model for model in registry.in_service(ground.read).values() if model.kind in SCORING]
    if not serving:
        return unknown("No model in service says how sure it is.")
    word = gravest({model.name: _verdict(model.calibration) for model in serving})
    remedy = " Let the policy fall back (when_uncalibrated), or recalibrate." if word == "fail" else ""
    figures = {model.name: {"version": model.version, "error": model.calibration.error} for model in serving}
    return Finding(verdict=word, sentence=f"{'; '.join(map(_told, serving))}.{remedy}", figures=figures)


CHECK = Check(
    name="confidence",
    title="Confidence",
    question="Is the confidence of the models in service as right as it says?",
    look=look,
    every_s=300.0,
)
