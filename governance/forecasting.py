"""The models of people in service, each with what proves it, or the words that it is not proven."""

from collections.abc import Mapping
from typing import Any, Literal

from storage import registry
from storage.database import Read
from storage.records.document import document
from storage.records.models import ModelVersion

MODELS: Mapping[str, str] = {
    "churn": "Churn risk",
    "value": "Lifetime value",
    "next_action": "Next action",
    "creators": "Viewer becomes customer of a creator",
}
"""The models of people, as pages name them."""
_VERDICTS: Mapping[str, Literal["pass", "warn", "unknown"]] = {"better": "pass", "worse": "warn", "no_better": "warn"}


@document
class ForecastView:
    """One model of people: what it foretells, how it did on time that it was not fitted on beside the best one-line
    rule (``verdict`` as checks say it, ``proof`` in words), and whether its probabilities came true."""

    name: str
    title: str
    version: str | None = None
    outcome: str = ""
    verdict: Literal["pass", "warn", "unknown"] = "unknown"
    proof: str = "Not trained yet: the lake holds too little, or the daily retraining has not run."
    calibration: str = ""
    people: int = 0
    evaluation: Mapping[str, Any]


def forecasts(read: Read) -> tuple[ForecastView, ...]:
    """Return every model of people, those without a version in service too."""
    serving = registry.in_service(read)
    return tuple(_view(name, title, serving.get(name)) for name, title in MODELS.items())


def _view(name: str, title: str, model: ModelVersion | None) -> ForecastView:
    if model is None:
        return ForecastView(name=name, title=title, evaluation={})
    told = model.evaluation
    return ForecastView(
        name=name,
        title=title,
        version=model.version,
        outcome=str(told.get("outcome", "")),
        verdict=_VERDICTS.get(str(told.get("verdict")), "unknown"),
        proof=str(told.get("sentence", "")),
        calibration=str(told.get("calibration", "")),
        people=int(told.get("people", 0)),
        evaluation=told,
    )
