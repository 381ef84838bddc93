"""Segments: who belongs, how sure that is, and that evidence alone makes it sure."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from scoring_core.features.segments import COUNTED, cohorts, segmentation, segments, tally
from storage.records.clock import DAY, SECOND
from storage.records.segments import SegmentRule
from storage.records.subjects import COUNTERS, MOST_RECENT, RECENT_DTYPE, UserState

NOW = 1_760_000_000 * SECOND


def person(*, age_days: float = 70.0, items: int = 0, attributes: dict | None = None, **counts: float) -> UserState:
    rows = np.zeros(items, dtype=RECENT_DTYPE)
    rows["item"], rows["roles"] = np.arange(items), 2
    rows["at"] = NOW // SECOND - np.arange(items)[::-1] * 60
    return UserState(
        vector=b"",
        updated_at=NOW,
        events=int(sum(counts.values())),
        counts=np.array([counts.get(name, 0.0) for name in COUNTERS], dtype="<f4").tobytes(),
        recent=rows.tobytes(),
        first_at=NOW - int(age_days * DAY),
        attributes=attributes or {},
    )


@pytest.mark.parametrize(
    ("user", "name"),
    [
        (person(age_days=3), "new"),
        (person(age_days=140, sessions=4), "casual"),
        (person(items=20, views=20), "explorer"),
        (person(age_days=70, sessions=60), "power"),
        (person(searches=20, views=20), "goal_oriented"),
        (person(mobile=30, desktop=3), "mobile_first"),
        (person(mobile=3, desktop=30), "desktop_focused"),
        (person(views=50, carts=10, purchases=6), "commercial_intent"),
    ],
)
def test_each_standard_segment_has_somebody_in_it_and_somebody_out_of_it(user: UserState, name: str) -> None:
    assert 0.7 <= segments(user, NOW)[name] <= 1.0
    nobody = UserState(vector=b"", updated_at=NOW, events=0)
    assert segments(nobody, NOW) == {}


def test_opposites_exclude_each_other() -> None:
    for mobile in range(0, 60, 3):
        found = segments(person(mobile=mobile, desktop=60 - mobile), NOW)
        assert not {"mobile_first", "desktop_focused"} <= set(found)
    for sessions in range(0, 60, 3):
        found = segments(person(sessions=sessions), NOW)
        assert not {"casual", "power"} <= set(found)


def test_confidence_is_the_posterior_probability() -> None:
    found = segments(person(mobile=8, desktop=1, age_days=70, sessions=50), NOW)
    prior = 0.6 * 4 / 3 + 1 / 3
    assert found["mobile_first"] == pytest.approx(stats.beta(prior + 8, 2 - prior + 1).sf(0.6), abs=1e-6)
    assert found["power"] == pytest.approx(stats.gamma(50 + 2 * 3 + 1 / 3, scale=1 / 12).sf(3.0), abs=1e-6)


@given(st.integers(1, 300), st.integers(2, 6))
def test_the_same_share_seen_more_often_is_surer(mobile: int, times: int) -> None:
    seldom = segments(person(mobile=mobile), NOW).get("mobile_first", 0.0)
    often = segments(person(mobile=mobile * times), NOW).get("mobile_first", 0.0)
    assert often >= seldom


def test_without_evidence_neither_side_is_likelier() -> None:
    for threshold in (0.2, 0.3, 0.5, 0.8):
        prior = threshold * 4 / 3 + 1 / 3
        assert stats.beta(prior, 2 - prior).sf(threshold) == pytest.approx(0.5, abs=0.05)
    for rate in (0.5, 1.0, 3.0, 20.0):
        assert stats.gamma(2 * rate + 1 / 3, scale=1 / 2).sf(rate) == pytest.approx(0.5, abs=0.02)


def test_a_certain_first_visit_proves_nothing_of_habits() -> None:
    assert set(segments(person(age_days=0.01, sessions=1, views=1, items=1), NOW)) == {"new", *cohorts(NOW)}


def test_who_touched_more_than_is_remembered_is_judged_by_what_is() -> None:
    returning = person(age_days=1, items=MOST_RECENT, views=20_000)
    assert tally(returning, NOW)[0][COUNTED.index("looks")] == pytest.approx(20_000 * (49 / 1440), rel=0.01)
    assert "explorer" not in segments(returning, NOW)
    roaming = person(age_days=10, items=MOST_RECENT, views=12_000)
    assert "explorer" in segments(roaming, NOW)


def test_an_installation_changes_rules_and_adds_its_own() -> None:
    declared = {
        "mobile_first": SegmentRule(measure="share", of=("mobile",), among=("mobile", "desktop"), above=0.95),
        "power": SegmentRule(enabled=False),
        "vip": SegmentRule(when={"user.spend": {"$gte": 500}, "user.segments": {"$in": ["desktop_focused"]}}),
        "linen": SegmentRule(when={"user.style": {"$in": ["linen"]}}),
    }
    rules = segmentation(declared)
    user = person(mobile=9, desktop=40, sessions=200, spend=600, attributes={"style": "cotton|linen"})
    found = segments(user, NOW, rules)
    assert {"vip", "linen", "desktop_focused"} <= set(found)
    assert "power" not in found
    assert found["vip"] == 1.0
    assert "vip" not in segments(replace(user, counts=person(spend=10, desktop=40).counts), NOW, rules)
    assert rules.reads == {"counts", "recent", "first_at", "attributes"}


def test_cohorts_are_named_by_the_first_day_in_utc() -> None:
    assert cohorts(0) == ()
    assert cohorts(1_735_603_200 * SECOND) == ("cohort.2024-12", "cohort.2025-W01")
