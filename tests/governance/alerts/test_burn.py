"""Burn rates over the exact windows of the SRE workbook; counts where requests are few; budgets below zero."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.alerts.burn import LEAST, Counted, budget, judge, worst
from storage.records.alerts import BURN_WINDOWS, BurnWindow
from storage.records.clock import DAY

FAST, SLOW, SLOWEST = BURN_WINDOWS


def counted(bad: int, valid: int) -> Counted:
    return Counted(good=valid - bad, valid=valid)


def test_the_windows_are_those_of_the_workbook() -> None:
    assert [(one.long_s, one.short_s, one.factor) for one in BURN_WINDOWS] == [
        (3_600, 300, 14.4),
        (21_600, 1_800, 6.0),
        (259_200, 21_600, 1.0),
    ]
    assert all(one.long_s == 12 * one.short_s for one in BURN_WINDOWS)


@pytest.mark.parametrize(
    ("window", "bad_long", "bad_short", "fires"),
    [
        (FAST, 144, 12, True),  # 14.4 × 0.1 % of 10,000, and of the 833 of five minutes
        (FAST, 143, 12, False),
        (FAST, 144, 11, False),  # it is over already
        (SLOW, 60, 5, True),
        (SLOW, 59, 5, False),
        (SLOWEST, 10, 1, True),
        (SLOWEST, 9, 1, False),
    ],
)
def test_both_windows_must_burn(window: BurnWindow, bad_long: int, bad_short: int, fires: bool) -> None:
    found = judge(window, counted(bad_long, 10_000), counted(bad_short, 833), 0.999)
    assert (found.by, found.fires) == ("rate", fires)


@pytest.mark.parametrize(
    ("bad", "valid", "bad_short", "fires"),
    [
        (4, 20, 4, False),  # too few bad ones, however high their share
        (5, 20, 1, True),
        (5, 20, 0, False),  # none any more
        (5, 999, 5, False),  # five of a thousand are not beyond 14.4 × 0.1 %
        (30, 999, 5, True),
        (0, 0, 0, False),
    ],
)
def test_below_a_thousand_counts_alert(bad: int, valid: int, bad_short: int, fires: bool) -> None:
    found = judge(FAST, counted(bad, valid), counted(bad_short, max(bad_short, 5)), 0.999)
    assert (found.by, found.fires) == ("count", fires)


@given(valid=st.integers(LEAST, 10**6), share=st.floats(0, 1), objective=st.floats(0.5, 0.9999))
def test_a_rate_is_the_share_of_bad_ones_over_what_is_borne(valid: int, share: float, objective: float) -> None:
    bad = int(share * valid)
    found = counted(bad, valid).rate(objective)
    assert found == pytest.approx((bad / valid) / (1 - objective))
    left = budget(counted(bad, valid), objective, period_days=30, rate=found).left
    assert left == pytest.approx(1 - (found or 0.0))


def test_a_budget_goes_below_zero_and_is_told_until_when_it_lasts() -> None:
    spent = budget(counted(123, 100_000), 0.999, period_days=30, rate=0.5)
    assert spent.left == pytest.approx(-0.23) and spent.exhausted_in_us == 0
    half = budget(counted(50, 100_000), 0.999, period_days=30, rate=2.0)
    assert half.left == pytest.approx(0.5) and half.exhausted_in_us == pytest.approx(7.5 * DAY)
    calm = budget(counted(50, 100_000), 0.999, period_days=30, rate=0.09)
    assert calm.exhausted_in_us is None
    nothing = budget(counted(0, 0), 0.999, period_days=30, rate=None)
    assert (nothing.left, nothing.current, nothing.exhausted_in_us) == (None, None, None)


def test_of_several_the_fastest_is_told() -> None:
    burns = [judge(one, counted(200, 10_000), counted(20, 833), 0.999) for one in BURN_WINDOWS]
    assert worst(burns) is burns[0] and worst(burns[1:]) is burns[1]
    assert worst([judge(FAST, counted(0, 10_000), counted(0, 833), 0.999)]) is None
