"""Where the model is not sure, fails or is missing, the fallback serves, and says why."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from scoring_core.live import ItemFeatures
from scoring_core.scorers.protocol import Floats, Scores
from storage.records.campaigns import Campaign
from storage.records.models import Calibration
from storage.records.policies import ConfidenceRule, ScorerChoice
from tests.scoring_core.world import decided, policy, request, scores_of, statistics, strict, trusting, world

UNCALIBRATED = Calibration(outcomes_missing=900)


class Broken:
    """A scorer that fails."""

    name, version, digest = "broken", "1", "00"
    features: tuple[str, ...] = ("item.price",)

    def __init__(self, answer: Floats | None = None) -> None:
        self.answer = answer

    def score(self, table: Floats) -> Scores:
        if self.answer is None:
            raise RuntimeError("a model that cannot")
        return Scores(self.answer[: len(table)], np.empty((len(table), 0)))


def test_low_confidence_falls_back() -> None:
    record = decided(world(strict()))
    assert (record.served_by, record.reason) == ("fallback", "low_confidence")
    assert record.confidence is not None
    assert record.confidence < 1.0
    popularity = statistics().values[:8, 2]
    assert record.items[0] == f"i{int(np.argmax(popularity))}"
    assert record.reasons[0] == ("popular",)
    assert len(scores_of(record)) == 8


def test_raw_is_the_share_of_members_and_confidence_its_isotonic_value() -> None:
    live = world(strict())
    record = decided(live)
    assert record.confidence_raw is not None
    assert record.confidence == pytest.approx(np.interp(record.confidence_raw, (0, 0.5, 1), (0.1, 0.5, 0.95)))
    assert (record.confidence_raw * 20) == pytest.approx(round(record.confidence_raw * 20))


def test_agreement_serves_the_model_without_a_confidence() -> None:
    live = world(strict())
    top = int(np.argmax(scores_of(decided(live))))
    values = statistics().values.copy()
    values[top, 2] = 99.0
    record = decided(world(strict(), items=ItemFeatures(epoch=9, values=values)))
    assert record.served_by == "model"
    assert (record.confidence_raw, record.confidence, record.confidence_reason) == (None, None, "agree")


@pytest.mark.parametrize(("then", "served_by"), [("fallback", "fallback"), ("model", "model")])
def test_without_calibration_the_policy_decides(then: Any, served_by: str) -> None:
    document = policy(confidence=ConfidenceRule(threshold=0.0, when_uncalibrated=then))
    record = decided(world(document, calibration=UNCALIBRATED))
    assert record.served_by == served_by
    assert record.confidence is None
    assert record.confidence_raw is not None
    assert record.confidence_reason == "uncalibrated"
    assert record.reason == ("ok" if then == "model" else "uncalibrated")


def test_a_scorer_that_is_no_ensemble_has_no_confidence_and_serves() -> None:
    record = decided(world(replace(strict(), scorer=ScorerChoice(name="popular"))))
    assert (record.served_by, record.reason, record.confidence_reason) == ("model", "ok", "no_ensemble")
    assert (record.model, record.scorer) == (None, "popular")
    assert record.reasons[0] == ("popular",)


@pytest.mark.parametrize(
    "scorer", [Broken(), Broken(np.full(99, np.nan)), Broken(np.zeros(2))], ids=["raises", "nan", "short"]
)
def test_a_failing_scorer_is_a_counted_reason_not_an_error(scorer: Broken) -> None:
    record = decided(world(trusting(), scorer=scorer))
    assert (record.served_by, record.reason) == ("fallback", "scorer_failed")
    assert len(record.items) == 3


def test_a_model_that_is_not_in_service_falls_back() -> None:
    record = decided(world(replace(trusting(), scorer=ScorerChoice(name="gbdt", parameters={"model": "absent"}))))
    assert (record.served_by, record.reason, record.model, record.model_version) == (
        "fallback",
        "model_missing",
        "absent",
        None,
    )


def test_the_ladder_takes_the_first_rung_that_can_speak() -> None:
    best = {"home/": ("i5", "gone", "i2")}
    assert decided(world(strict(), best_variants=best)).items[:2] == ("i5", "i2")
    assert decided(world(strict(), best_variants=best)).reasons[0] == ("best_variant",)
    blind = ItemFeatures(epoch=9, values=np.zeros((12, 5)))
    record = decided(world(strict(), items=blind))
    assert record.items == ("i0", "i1", "i2")
    assert record.reasons[0] == ("caller",)
    popular_first = strict(fallback=("popular", "best_variant"))
    assert decided(world(popular_first, best_variants=best)).reasons[0] == ("popular",)
    assert decided(world(strict(fallback=()))).items == ("i0", "i1", "i2")


def test_the_best_variant_is_the_campaigns_own() -> None:
    campaigns = {"c": Campaign(key="c", name="C", surfaces=("home",), status="running")}
    best = {"home/": ("i5",), "home/c": ("i6",)}
    record = decided(world(strict(), campaigns=campaigns, best_variants=best), request(campaign="c"))
    assert record.items[0] == "i6"
