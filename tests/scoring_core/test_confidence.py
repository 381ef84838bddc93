"""Confidence: what members say, what calibration makes of it, and who serves."""

import numpy as np
import pytest

from scoring_core.confidence import Confidence, confidence, model_serves
from scoring_core.scorers.protocol import Scores
from storage.records.models import Calibration
from storage.records.policies import ConfidenceRule

FITTED = Calibration(status="proven", x=(0.25, 0.75), y=(0.3, 0.9))


def scores(*members: tuple[float, ...]) -> Scores:
    given = np.array(members)
    return Scores(given.mean(axis=1), given)


@pytest.mark.parametrize(
    ("ours", "theirs", "raw", "value"),
    [
        ((2.0, 2.0, 2.0, 2.0), (1.0, 1.0, 1.0, 1.0), 1.0, 0.9),
        ((2.0, 2.0, 0.0, 0.0), (1.0, 1.0, 1.0, 1.0), 0.5, 0.6),
        ((2.0, 1.0, 1.0, 0.0), (1.0, 1.0, 1.0, 1.0), 0.5, 0.6),
        ((0.0, 0.0, 0.0, 1.0), (1.0, 1.0, 1.0, 1.0), 0.125, 0.3),
    ],
)
def test_ties_count_half_and_the_map_is_flat_beyond_its_knots(
    ours: tuple[float, ...], theirs: tuple[float, ...], raw: float, value: float
) -> None:
    found = confidence(scores(ours, theirs), top=0, fallback_top=1, calibration=FITTED)
    assert (found.raw, found.value, found.reason) == (raw, pytest.approx(value), None)


def test_without_knots_there_is_no_value() -> None:
    for calibration in (
        Calibration(),
        Calibration(status="uncalibrated", x=(0.0,), y=(1.0,)),
        Calibration(status="proven"),
    ):
        found = confidence(scores((1.0,), (0.0,)), top=0, fallback_top=1, calibration=calibration)
        assert found == Confidence(1.0, None, "uncalibrated")


def test_one_pick_of_both_is_agreement() -> None:
    assert confidence(scores((1.0,)), top=0, fallback_top=0, calibration=FITTED) == Confidence(None, None, "agree")


def test_no_members_no_confidence() -> None:
    alone = Scores(np.zeros(2), np.empty((2, 0)))
    assert confidence(alone, top=0, fallback_top=1, calibration=FITTED).reason == "no_ensemble"


@pytest.mark.parametrize(
    ("found", "when", "serves"),
    [
        (Confidence(0.5, 0.6, None), "fallback", True),
        (Confidence(0.5, 0.5999, None), "model", False),
        (Confidence(0.5, None, "uncalibrated"), "fallback", False),
        (Confidence(0.5, None, "uncalibrated"), "model", True),
        (Confidence(None, None, "agree"), "fallback", True),
        (Confidence(None, None, "no_ensemble"), "fallback", True),
    ],
)
def test_who_serves(found: Confidence, when: str, serves: bool) -> None:
    rule = ConfidenceRule(threshold=0.6, when_uncalibrated="model" if when == "model" else "fallback")
    assert model_serves(found, rule) is serves
