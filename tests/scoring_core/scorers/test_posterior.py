"""The chance of having the largest draw equals what other ways of finding it say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import betainc, betaln, expit, ndtr

from scoring_core.scorers.posterior import largest_beta, largest_normal
from scoring_core.scorers.protocol import Floats


def integrated(successes: Floats, failures: Floats, lift: Floats) -> Floats:
    """The same integral by Gauss–Legendre of order 16 on many panels, distribution functions from scipy."""
    centre, scale = np.log(successes / failures) + lift, np.sqrt(1 / successes + 1 / failures)
    steps = np.arange(-12, 13, 2)
    ends = np.unique(np.concatenate([np.linspace(-60, 60, 61), (centre + scale * steps[:, None]).ravel()]))
    nodes, weights = np.polynomial.legendre.leggauss(16)
    half = np.diff(ends)[:, None] / 2
    line, weight = (ends[:-1, None] + half * (1 + nodes)).ravel(), (half * weights).ravel()
    below, density = np.empty((2, len(successes), len(line)))
    for row, (a, b, up) in enumerate(zip(successes, failures, lift, strict=True)):
        odds = line - up
        low = betainc(a, b, expit(odds))
        below[row] = np.where(odds < 0, low, 1 - betainc(b, a, expit(-odds)))
        density[row] = np.exp(-a * np.logaddexp(0, -odds) - b * np.logaddexp(0, odds) - betaln(a, b))
    logs = np.log(np.maximum(below, 1e-300))
    return np.array(
        [np.sum(weight * density[row] * np.exp(logs.sum(axis=0) - logs[row])) for row in range(len(successes))]
    )


RNG = np.random.Generator(np.random.PCG64(3))
SHOWN = 10 ** RNG.uniform(0, 6, 30)
CLICKED = SHOWN * RNG.beta(2, 50, 30)


@pytest.mark.parametrize(
    ("successes", "failures", "lift"),
    [
        ([1.0, 1.0], [1.0, 1.0], [0.0, 0.0]),
        ([1.0, 50.0, 500.0], [1.0, 60.0, 500.0], [0.0, 0.0, 0.0]),
        ([0.3, 0.5, 2.0], [0.3, 20.0, 1.0], [0.0, 0.0, 0.0]),
        ([3.0, 4.0, 5.0], [30.0, 40.0, 50.0], [0.0, 0.7, -0.7]),
        (1 + RNG.poisson(10, 30).astype(float), 500 + 500 * RNG.random(30), np.zeros(30)),
        (np.ones(60), np.ones(60), np.zeros(60)),
        (1 + CLICKED, 1 + SHOWN - CLICKED, np.zeros(30)),
        (1 + CLICKED, 1 + SHOWN - CLICKED, RNG.normal(size=30) * 0.3),
    ],
    ids=("flat", "sharp beside flat", "weak priors", "lifted", "alike", "all new", "many ages", "many ages, lifted"),
)
def test_beta_chances_are_right_to_a_millionth(successes: object, failures: object, lift: object) -> None:
    given_rows = tuple(np.asarray(each, dtype=np.float64) for each in (successes, failures, lift))
    found = largest_beta(*given_rows)
    assert found.sum() == pytest.approx(1.0, abs=1e-12)
    np.testing.assert_allclose(found, integrated(*given_rows), atol=1e-6)


@given(
    st.tuples(*[st.floats(0.5, 1e4)] * 4),
    st.tuples(*[st.floats(-2, 2)] * 2),
)
@settings(max_examples=60)
def test_two_betas_share_one(shape: tuple[float, ...], lift: tuple[float, ...]) -> None:
    a, b, c, d = shape
    one, other = largest_beta(np.array([a, c]), np.array([b, d]), np.array(lift))
    again = largest_beta(np.array([c, a]), np.array([d, b]), np.array(lift[::-1]))
    assert one + other == pytest.approx(1.0, abs=1e-12)
    assert again[1] == pytest.approx(one, abs=1e-9)


@given(st.floats(-5, 5), st.floats(0.01, 10), st.floats(-5, 5), st.floats(0.01, 10))
@settings(max_examples=100)
def test_two_normals_have_a_closed_form(mean: float, deviation: float, other: float, wide: float) -> None:
    chance = largest_normal(np.array([mean, other]), np.array([deviation, wide]))[0]
    assert chance == pytest.approx(ndtr((mean - other) / np.hypot(deviation, wide)), abs=1e-6)


def test_the_hopeless_and_the_certain() -> None:
    chances = largest_beta(np.array([5_000.0, 10.0]), np.array([5_000.0, 100_000.0]), np.zeros(2))
    assert chances.tolist() == [1.0, 0.0]
    assert largest_beta(np.ones(1), np.ones(1), np.zeros(1)).tolist() == [1.0]
