"""Intervals of rates against statsmodels and against people who were simulated."""

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint, proportion_effectsize

from governance.proportions import Tally, difference, discoveries, needed
from storage.records.proportions import wilson


@pytest.mark.parametrize(("hits", "n"), [(0, 7), (3, 40), (40, 40), (12, 9_000)])
def test_wilson_is_wilson(hits: int, n: int) -> None:
    assert wilson(hits, n) == pytest.approx(proportion_confint(hits, n, method="wilson"), abs=1e-12)


@pytest.mark.parametrize(("one", "other"), [((3, 40), (9, 50)), ((0, 30), (1, 20)), ((200, 9_000), (260, 9_000))])
def test_newcombe_is_newcombe(one: tuple[int, int], other: tuple[int, int]) -> None:
    found = difference(Tally(hits=one[0], n=one[1]), Tally(hits=other[0], n=other[1]))
    assert found is not None
    expected = confint_proportions_2indep(*one, *other, compare="diff", method="newcomb")
    assert (found.low, found.high) == pytest.approx(expected, abs=1e-6)


def test_of_nothing_nothing_is_known() -> None:
    assert difference(Tally(n=0, hits=0), Tally(n=9, hits=1)) is None and wilson(0, 0) == (0.0, 1.0)


def test_discoveries_are_those_of_benjamini_and_hochberg() -> None:
    rng = np.random.default_rng(3)
    for _ in range(50):
        p = np.concatenate([rng.random(8), rng.random(4) * 0.02])
        assert discoveries(p.tolist()) == multipletests(p, 0.05, "fdr_bh")[0].tolist()


def test_needed_is_near_the_power_of_the_test() -> None:
    size = proportion_effectsize(0.024, 0.02)
    assert needed(0.02) == pytest.approx(NormalIndPower().solve_power(size, power=0.8, alpha=0.05), rel=0.1)


def people(rng: np.random.Generator) -> Tally:
    """Forty impressions of each of 400 people, each with a click rate of their own."""
    seen = rng.integers(1, 40, 400)
    clicked = rng.binomial(seen, rng.beta(0.5, 9.5, 400))
    return Tally(
        n=int(seen.sum()),
        hits=int(clicked.sum()),
        people=400,
        nn=float((seen * seen).sum()),
        hh=float((clicked * clicked).sum()),
        hn=float((clicked * seen).sum()),
    )


def test_intervals_by_people_cover_where_those_by_impressions_do_not() -> None:
    rng = np.random.default_rng(11)
    by_people, by_impressions = 0, 0
    for _ in range(600):
        one, other = people(rng), people(rng)
        found = difference(one, other)
        naive = difference(Tally(n=one.n, hits=one.hits), Tally(n=other.n, hits=other.hits))
        assert found is not None and naive is not None and found.unit == "people" and naive.unit == "impressions"
        by_people += found.low <= 0.0 <= found.high
        by_impressions += naive.low <= 0.0 <= naive.high
    assert 0.92 <= by_people / 600 <= 0.98
    assert by_impressions / 600 < 0.9
