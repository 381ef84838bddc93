"""A trained model as the registry keeps it."""

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Literal

from storage.records.document import document


@document
class Reliability:
    """One equal-mass bin of a reliability diagram."""

    predicted: float
    observed: float
    count: int


@document
class Calibration:
    """Isotonic map from the ensemble's raw agreement to a probability, and its proof or lack of it.

    ``x`` and ``y`` are the knots (empty: uncalibrated). ``status`` is ``proven`` only if the calibration error's upper
    95 % bound is at most 0.05 and the Brier skill's lower bound is above zero.
    """

    status: Literal["proven", "unproven", "uncalibrated"] = "uncalibrated"
    x: tuple[float, ...] = ()
    y: tuple[float, ...] = ()
    clicked_impressions: int = 0
    pairs: int = 0
    error: float | None = None
    error_low: float | None = None
    error_high: float | None = None
    skill: float | None = None
    skill_low: float | None = None
    skill_high: float | None = None
    outcomes_missing: int | None = None
    bins: tuple[Reliability, ...] = ()


ModelKind = Literal["gbdt", "factors", "hybrid", "content", "sequences", "linear_bandit", "person", "plugin"]
"""``gbdt`` and ``linear_bandit`` score candidates, ``factors``, ``hybrid``, ``content`` and ``sequences`` retrieve
them, ``person`` tells something of a person (churn, value, next action), ``plugin`` is loaded by an installed plugin
and scores."""


@document
class ModelVersion:
    """A model version: where its files are (relative to the home folder), what they hash to, and what it came from."""

    name: str
    version: str
    kind: ModelKind = "gbdt"
    created_at: int
    path: str
    digest: str
    features: tuple[str, ...] = ()
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    members: int = 0
    trees: int = 0
    parameters: Mapping[str, Any] = field(default_factory=dict)
    lineage: Mapping[str, Any] = field(default_factory=dict)
    evaluation: Mapping[str, Any] = field(default_factory=dict)
    calibration: Calibration = field(default_factory=Calibration)


@document
class Standing:
    """A version and how it stands: in service or not, when it last went in, when it was taken back by a rollback, and
    what was said of it beside the one in service (None: it was not compared)."""

    model: ModelVersion
    in_service: bool = False
    served_at: int | None = None
    withdrawn_at: int | None = None
    verdict: Mapping[str, Any] | None = None
