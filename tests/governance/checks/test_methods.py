"""The measures of drift: Evidently's figures under Evidently's names, calibrated nulls, no false red, power."""

import warnings

import numpy as np
import pytest
from scipy import stats

from governance.checks.compared import Compared, of_levels, of_numbers
from governance.checks.judged import Judged, judge_all, measure, measure_all
from governance.checks.methods import METHODS
from storage.errors import Invalid

EVIDENTLY = {"wasserstein": "wasserstein_stat_test", "jensenshannon": "jensenshannon_stat_test", "psi": "psi_stat_test"}
LETTERS = tuple("abcdefghijkl")


def levels(name: str, before, now) -> Compared:
    """Return two windows of texts (None: missing)."""
    known = sorted({*before, *now} - {None})
    counts = [np.array([list(part).count(each) for each in (*known, None)]) for part in (before, now)]
    return of_levels(name, (*known, None), *counts)


def evidently(name: str, before, now, *, number: bool) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Evidently's own dependencies warn at import
        import pandas
        from evidently.legacy.calculations import stattests
        from evidently.legacy.core import ColumnType

    kind = ColumnType.Numerical if number else ColumnType.Categorical
    windows = [pandas.Series(part).replace([np.inf, -np.inf], np.nan).dropna() for part in (before, now)]
    return float(getattr(stattests, EVIDENTLY[name])(*windows, kind, 0.1).drift_score)


def numbers(seed: int = 5):
    rng = np.random.default_rng(seed)
    gone = rng.normal(0.3, 2.0, 1_500)
    gone[::7] = np.nan
    return {
        "normal": (rng.normal(size=2_000), rng.normal(0.2, 1.1, 1_500)),
        "whole": (rng.integers(0, 4_000, 2_000), rng.integers(100, 4_400, 1_500)),
        "few": (rng.integers(0, 6, 2_000).astype(float), rng.integers(0, 7, 1_500).astype(float)),
        "narrow": (rng.integers(0, 40, 2_000), rng.integers(2, 42, 1_500)),
        "missing": (rng.normal(size=2_000), gone),
        "tail": (rng.lognormal(sigma=2.0, size=2_000), rng.lognormal(0.1, 2.0, 1_500)),
        "constant": (np.zeros(900), np.zeros(800)),
    }


@pytest.mark.parametrize("data", sorted(numbers()))
@pytest.mark.parametrize("name", sorted(EVIDENTLY))
def test_numbers_measure_as_evidently_has_them(name, data):
    before, now = numbers()[data]
    found = measure(of_numbers("x", before, now), {"x": name})[0]
    assert found.effect == pytest.approx(evidently(name, before, now, number=True), abs=1e-6)


@pytest.mark.parametrize("name", ["jensenshannon", "psi"])
def test_categories_measure_as_evidently_has_them(name):
    rng = np.random.default_rng(6)
    before = rng.choice(np.array([*LETTERS[:8], None], dtype=object), 3_000)
    now = rng.choice(np.array([*LETTERS[2:], None], dtype=object), 2_000)
    found = measure(levels("x", before, now), {"x": name})[0]
    assert found.effect == pytest.approx(evidently(name, before, now, number=False), abs=1e-6)


def test_the_kolmogorov_smirnov_distance_and_its_chance_are_scipys():
    before, now = numbers()["normal"]
    found = measure(of_numbers("x", before, now), {"x": "ks"})[0]
    scipys = stats.ks_2samp(before, now, method="asymp")
    assert (found.effect, found.p_value) == pytest.approx((scipys.statistic, scipys.pvalue))


def test_the_chi_square_test_of_levels_is_scipys():
    before, now = np.array([400, 300, 300]), np.array([300, 350, 350])
    found = measure(of_levels("x", LETTERS[:3], before, now), {"x": "chisquare"})[0]
    assert found.p_value == pytest.approx(stats.chi2_contingency(np.array([before, now])).pvalue)


@pytest.mark.parametrize("name", sorted(METHODS))
def test_one_draw_in_a_hundred_is_beyond_the_null_and_the_chance_is_what_it_says(name):
    rng = np.random.default_rng(7)
    beyond, surprising, rounds = 0, 0, 150
    for _ in range(rounds):
        if "number" in METHODS[name].kinds and name != "rate":
            pair = of_numbers("x", rng.normal(size=1_200), rng.normal(size=700))
        else:
            share = np.linspace(1.0, 3.0, 12) / np.linspace(1.0, 3.0, 12).sum() if name != "rate" else [0.9, 0.1]
            pair = of_levels("x", LETTERS[: len(share)], rng.multinomial(1_200, share), rng.multinomial(700, share))
        found = measure(pair, {"x": name})[0]
        beyond += found.effect > found.null
        surprising += found.p_value < 0.05
    assert beyond <= 7  # 1.5 expected; 8 has a chance of 1 in 5,000
    assert 1 <= surprising <= 18  # 7.5 expected


def world(rng, before: int, now: int, *, shapes: int = 20) -> list[Compared]:
    """Return features without drift: tails, ties, spikes, missing values, up to 80 levels."""
    drawn = (
        lambda size: rng.normal(size=size),
        lambda size: rng.lognormal(sigma=2.0, size=size),
        lambda size: rng.poisson(3, size),
        lambda size: np.where(rng.random(size) < 0.9, 0.0, rng.random(size)),
        lambda size: np.where(rng.random(size) < 0.1, np.nan, rng.exponential(size=size)),
    )
    pairs = [of_numbers(f"x{each}", *(drawn[each % 5](size) for size in (before, now))) for each in range(shapes // 2)]
    for each, count in enumerate((2, 5, 8, 12, 20, 30, 40, 60, 80, 80)[: shapes - len(pairs)]):
        share = rng.dirichlet(np.ones(count))
        counts = (rng.multinomial(size, share) for size in (before, now))
        pairs.append(of_levels(f"c{each}", [f"l{level}" for level in range(count)], *counts))
    return pairs


def judged(pairs, methods) -> list[Judged]:
    return judge_all(measure_all(pairs, methods))


PINNED = (
    {},
    {"number": "wasserstein", "category": "jensenshannon"},
    {"number": "ks", "category": "chisquare"},
    {"number": "psi", "category": "psi"},
)


@pytest.mark.parametrize("methods", PINNED, ids=lambda methods: methods.get("number", "default"))
@pytest.mark.parametrize(("before", "now", "runs"), [(50, 50, 4), (500, 500, 6), (1_000, 100_000, 1)])
def test_a_world_without_drift_is_not_red(methods, before, now, runs):
    """In truth at most one run in a hundred; the benchmark runs more of them."""
    rng = np.random.default_rng(8)
    red = sum(any(each.red for each in judged(world(rng, before, now), methods)) for _ in range(runs))
    assert red <= 1


@pytest.mark.parametrize("methods", PINNED, ids=lambda methods: methods.get("number", "default"))
def test_a_psi_of_a_fifth_is_found_among_twenty(methods):
    """A normal moved by √0.2 standard deviations has a PSI of 0.2, exactly."""
    rng = np.random.default_rng(9)
    found, size = 0, 1_000
    for _ in range(20):
        moved = of_numbers("moved", rng.normal(size=size), rng.normal(np.sqrt(0.2), 1.0, size))
        found += judged([moved, *world(rng, size, size)[10:]], methods)[0].red
    assert found >= 18


@pytest.mark.parametrize("method", ["psi_levels", "jensenshannon", "chisquare", "psi"])
@pytest.mark.parametrize("count", [2, 12, 80])
def test_a_psi_of_a_fifth_over_levels_is_found(method, count):
    rng = np.random.default_rng(10)
    calm = world(rng, 1_000, 1_000)[:19]
    before, now = moved(count)
    found = 0
    for _ in range(20):
        pair = of_levels(
            "moved", [str(each) for each in range(count)], rng.multinomial(1_000, before), rng.multinomial(1_000, now)
        )
        found += judged([pair, *calm], {"moved": method})[0].red
    assert found >= 18


def moved(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return two distributions over levels whose PSI is 0.2."""
    before = np.full(count, 1.0 / count)
    tilt = np.where(np.arange(count) % 2, 1.0, -1.0)
    low, high = 0.0, 3.0
    for _ in range(60):
        middle = (low + high) / 2.0
        now = before * np.exp(middle * tilt)
        now /= now.sum()
        low, high = (middle, high) if ((now - before) * np.log(now / before)).sum() < 0.2 else (low, middle)
    return before, now


def test_an_outcome_that_comes_twice_as_often_is_seen_however_rare_it_is():
    before, now = np.array([99_000, 1_000]), np.array([19_600, 400])
    found = {
        name: judged([of_levels("click", ("no", "yes"), before, now)], {"click": name})[0]
        for name in METHODS
        if "category" in METHODS[name].kinds
    }
    assert [name for name, row in found.items() if row.red] == ["rate"]
    assert found["rate"].effect == pytest.approx(np.log(2.0), abs=0.01)


def test_a_measure_that_does_not_see_missing_values_has_them_judged_beside_it():
    rng = np.random.default_rng(11)
    gone = rng.normal(size=2_000)
    gone[:600] = np.nan
    for name, features in (("wasserstein", ["x", "x (missing)"]), ("psi_deciles", ["x"])):
        rows = judged([of_numbers("x", rng.normal(size=2_000), gone)], {"x": name})
        assert [row.feature for row in rows] == features
        assert [row.red for row in rows] == [*[False] * (len(rows) - 1), True]


def test_a_feature_that_is_gone_is_red_by_every_measure():
    for name, method in METHODS.items():
        if "number" in method.kinds:
            pair = of_numbers("x", np.arange(1_000.0), np.full(1_000, np.nan))
            assert any(row.red for row in judged([pair], {"x": name})), name


def test_measures_that_do_not_fit_are_refused_and_those_that_fit_are_named():
    with pytest.raises(Invalid, match="psi_levels, chisquare"):
        measure(of_levels("x", ("a",), np.array([1]), np.array([1])), {"x": "wasserstein"})
    with pytest.raises(Invalid, match="psi_deciles"):
        measure(of_numbers("x", np.zeros(1), np.zeros(1)), {"x": "guess"})


@pytest.mark.parametrize("name", sorted(METHODS))
@pytest.mark.parametrize("size", [0, 1, 500])
def test_nothing_or_one_value_alone_is_no_change(name, size):
    if "number" in METHODS[name].kinds:
        pair = of_numbers("x", np.ones(size), np.ones(500))
    else:
        pair = of_levels("x", ("a",), np.array([size]), np.array([500]))
    found = judged([pair], {"x": name})[0]
    assert (found.effect, found.red, found.statistical) == (0.0, False, False if size == 500 else None)
