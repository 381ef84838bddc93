"""Bounds and evidence that hold at every look at once."""

from math import log, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.experiments.occurrences import CHANGES, RISES, Split, evidence
from governance.experiments.sequential import (
    FEWEST_HITS,
    Stratum,
    contrast,
    half_width,
    harm_width,
    lower,
    tuning,
    upper,
)
from governance.experiments.srm import imbalance

LOOKS = 200


def stratum(treated: int, hits: int, control: int, others: int) -> Stratum:
    return Stratum(treated=treated, treated_hits=hits, control=control, control_hits=others)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


def test_the_half_width_is_that_of_the_published_formula() -> None:
    """GrowthBook's documents write it with N·r² for V/ρ; one-sided with ln(1 + √(N·r² + 1) / 2α)."""
    found = contrast([stratum(5_000, 250, 5_000, 250)])
    assert found is not None
    rho, alpha = tuning(2.0 * found.information, 0.01), 0.01
    ratio = found.information / rho
    published = found.error * sqrt(2.0 * (ratio + 1.0) / ratio * log(1.0 + sqrt(ratio + 1.0) / (2.0 * alpha)))
    assert half_width(found, level=alpha, tuned=rho) == pytest.approx(published, rel=1e-12)


def test_equal_arms_cross_the_bound_in_no_more_runs_than_promised() -> None:
    draw, level, runs = rng(1), 0.05, 400
    rho = tuning(1.0 / (0.05 * 0.95 * (2 / 20_000)), level)
    crossed = 0
    for _ in range(runs):
        treated = draw.binomial(200, 0.05, LOOKS).cumsum()
        control = draw.binomial(200, 0.05, LOOKS).cumsum()
        sizes = 200 * np.arange(1, LOOKS + 1)
        looks = [
            contrast([stratum(int(n), int(a), int(n), int(b))]) for n, a, b in zip(sizes, treated, control, strict=True)
        ]
        crossed += any(each is not None and upper(each, level=level, tuned=rho) < 0.0 for each in looks)
    assert crossed / runs <= level + 3.0 * sqrt(level * (1 - level) / runs)


def looks_at(draw: np.random.Generator, treated: float, control: float, *, at_once: int = 40) -> list[tuple[int, ...]]:
    sizes = at_once * np.arange(1, LOOKS + 1)
    hits = [draw.binomial(at_once, rate, LOOKS).cumsum() for rate in (treated, control)]
    return [(int(n), int(a), int(n), int(b)) for n, a, b in zip(sizes, *hits, strict=True)]


def first_harm(looks: list[tuple[int, ...]], *, level: float, announced: int) -> int | None:
    """Return after how many of the treated harm is shown, by a plan made for ``announced`` of them."""
    rho = tuning(1.0 / (0.05 * 0.95 * (2 / announced)), level)
    for look in looks:
        found = contrast([stratum(*look)])
        if (
            found is not None
            and found.expected >= FEWEST_HITS
            and found.value + harm_width(found, level=level, tuned=rho) < 0.0
        ):
            return look[0]
    return None


def test_early_looks_cross_no_more_often_than_promised_either() -> None:
    draw, level, runs = rng(2), 0.05, 400
    crossed = sum(
        first_harm(looks_at(draw, 0.05, 0.05), level=level, announced=1_000_000) is not None for _ in range(runs)
    )
    assert crossed / runs <= level + 3.0 * sqrt(level * (1 - level) / runs)


def test_great_harm_is_shown_long_before_the_announced_traffic() -> None:
    draw = rng(3)
    halved = [first_harm(looks_at(draw, 0.025, 0.05), level=0.01, announced=1_000_000) for _ in range(50)]
    gone = [first_harm(looks_at(draw, 0.0, 0.05), level=0.01, announced=1_000_000) for _ in range(50)]
    assert sum(each is not None and each <= 8_000 for each in halved) >= 45
    assert all(each is not None and each <= 1_000 for each in gone)


def test_a_rate_that_moves_between_splits_is_no_effect() -> None:
    """At 1 % the rate was 10 %, at 50 % it is 2 %: pooled over both, the treated look five times as bad."""
    found = contrast([stratum(1_000, 100, 99_000, 9_900), stratum(50_000, 1_000, 50_000, 1_000)])
    assert found is not None
    assert found.value == pytest.approx(0.0, abs=1e-12)


def test_a_margin_asks_for_less() -> None:
    strata = [stratum(40_000, 1_980, 40_000, 2_000)]
    plain, loose = contrast(strata), contrast(strata, margin=0.2)
    assert plain is not None and loose is not None
    rho = tuning(plain.information, 0.01)
    assert lower(plain, level=0.01, tuned=rho) < 0.0 < lower(loose, level=0.01, tuned=rho)


def test_a_design_effect_widens() -> None:
    strata = [stratum(1_000, 50, 1_000, 50)]
    alone, alike = contrast(strata), contrast(strata, spread=4.0)
    assert alone is not None and alike is not None
    assert alike.error == pytest.approx(2.0 * alone.error)


def test_one_arm_alone_says_nothing() -> None:
    assert contrast([stratum(10, 1, 0, 0)]) is None
    assert contrast([]) is None


@pytest.mark.parametrize("alternatives", [RISES, CHANGES])
def test_evidence_is_a_martingale(alternatives: tuple[float, ...]) -> None:
    """The mean over what chance may do next is what is there already: exactly, for any split before."""
    for treated, control in ((0, 0), (3, 40), (7, 1)):
        now = np.exp(evidence([Split(treated=treated, control=control, share=0.05)], alternatives=alternatives))
        ahead = 0.05 * np.exp(
            evidence([Split(treated=treated + 1, control=control, share=0.05)], alternatives=alternatives)
        ) + 0.95 * np.exp(
            evidence([Split(treated=treated, control=control + 1, share=0.05)], alternatives=alternatives)
        )
        assert ahead == pytest.approx(now, rel=1e-9)


@given(st.floats(0.01, 0.6), st.integers(0, 2**32))
def test_what_happens_to_both_alike_rarely_looks_like_harm(share: float, seed: int) -> None:
    """One run alone crosses 1/1000 at most once in a thousand; the law is asked of hypothesis' hundred."""
    sides = rng(seed).random(300) < share
    treated = sides.cumsum()
    strongest = max(
        evidence([Split(treated=int(treated[n]), control=n + 1 - int(treated[n]), share=share)]) for n in range(300)
    )
    assert strongest < log(1e5)


def test_what_only_the_treated_meet_is_found_at_once() -> None:
    assert evidence([Split(treated=4, control=0, share=0.01)]) > log(400.0)
    assert evidence([Split(treated=12, control=0, share=1 / 3)]) > log(400.0)


def test_a_share_of_all_or_nothing_is_no_evidence() -> None:
    assert evidence([Split(treated=9, control=0, share=1.0)]) == 0.0


def test_a_sample_ratio_that_holds_raises_no_alarm_and_one_that_does_not_does() -> None:
    draw = rng(3)
    alarms = 0
    for _ in range(200):
        joined = draw.binomial(100, 0.1, LOOKS).cumsum()
        found = [
            imbalance([int(each), 100 * place - int(each)], [0.1, 0.9]) for place, each in enumerate(joined, start=1)
        ]
        alarms += max(found) >= log(1_000.0)
    assert alarms <= 2
    assert imbalance([880, 9_120], [0.1, 0.9]) > log(10.0)
    assert imbalance([800, 9_200], [0.1, 0.9]) > log(1_000.0)


def test_an_arm_without_a_share_is_left_out_of_the_freedom() -> None:
    assert imbalance([10_000, 10_480, 0], [1, 1, 0]) == pytest.approx(imbalance([10_000, 10_480], [0.5, 0.5]))
    assert imbalance([10_000, 10_480, 1], [1, 1, 0]) == float("inf")
    assert imbalance([0, 0], [0.5, 0.5]) == 0.0
