"""How likely each of several independent posterior draws is the largest: Thompson sampling without sampling.

P(i is the largest) = ∫ f_i(y) · Π_{j≠i} F_j(y) dy. Beta posteriors are integrated over the log-odds, where they have
one hump and light tails. The line is cut into panels no longer than a posterior's scale wherever that posterior has
mass; in each panel stand Gauss–Legendre nodes, and the distribution functions come from integrating the densities over
the very same nodes, so that no special function is called per node.

References
----------
Thompson, On the likelihood that one unknown probability exceeds another, Biometrika 25, 1933. Chapelle, Li, An
Empirical Evaluation of Thompson Sampling, NIPS 2011. Trefethen, Is Gauss Quadrature Better than Clenshaw–Curtis?,
SIAM Review 50, 2008.
"""

from math import exp, lgamma, log, log1p, pi, sqrt
from typing import Any

import numpy as np
from numba import types
from numpy.polynomial import legendre

from scoring_core.scorers.protocol import Floats
from storage.compiled import compiled

NODES = 8
LONGEST = 2.0
"""A panel's length in scales of the sharpest posterior that has mass in it."""
DROP = 30.0
"""Beyond where a density lies e^−30 below its peak it has no mass that would show."""
SMALLEST = 1e-16
_DEPTH = 256


def _rule() -> tuple[Floats, Floats, Floats]:
    """Return nodes and weights on [−1, 1], and the matrix that turns values at the nodes into integrals from each node
    to 1."""
    nodes, weights = legendre.leggauss(NODES)
    above = np.empty((NODES, NODES))
    for place in range(NODES):
        cardinal = np.linalg.solve(legendre.legvander(nodes, NODES - 1), np.eye(NODES)[place])
        whole = legendre.legint(cardinal)
        above[:, place] = legendre.legval(1.0, whole) - legendre.legval(nodes, whole)
    return nodes, weights, np.ascontiguousarray(above)


_NODES, _WEIGHTS, _ABOVE = _rule()


def _largest(  # noqa: C901, PLR0912, PLR0915  # one loop nest: the compiler fuses no calls and takes no objects
    normal: Any, first: Any, second: Any, shift: Any
) -> Any:
    count = len(first)
    chance = np.zeros(count)
    peak, scale, constant = np.empty(count), np.empty(count), np.empty(count)
    low, high = np.empty(count), np.empty(count)
    for row in range(count):
        if normal:
            peak[row], scale[row] = first[row], second[row]
            constant[row] = -log(second[row] * sqrt(2.0 * pi))
            reach = sqrt(2.0 * DROP) * second[row]
            low[row], high[row] = peak[row] - reach, peak[row] + reach
        else:
            alpha, beta = first[row], second[row]
            peak[row], scale[row] = log(alpha / beta), sqrt(1.0 / alpha + 1.0 / beta)
            constant[row] = lgamma(alpha + beta) - lgamma(alpha) - lgamma(beta)
            top = -alpha * log1p(beta / alpha) - beta * log1p(alpha / beta)
            for side in (-1.0, 1.0):
                reach = 6.0 * scale[row]
                while True:
                    odds = peak[row] + side * reach
                    down = log1p(exp(-odds)) if odds > -500.0 else -odds
                    up = log1p(exp(odds)) if odds < 500.0 else odds
                    if top + alpha * down + beta * up > DROP:
                        break
                    reach *= 1.3
                if side < 0.0:
                    low[row] = odds
                else:
                    high[row] = odds
        low[row] += shift[row]
        high[row] += shift[row]
    bottom, ceiling = low.max(), high.max()
    above = np.zeros(count)
    density = np.empty((count, NODES))
    below = np.empty((count, NODES))
    inside = np.empty(count, np.int64)
    product = np.empty(NODES)
    odds_down, odds_up = np.empty(NODES), np.empty(NODES)
    ends = np.empty(_DEPTH)
    right = ceiling
    ends[0] = bottom
    depth = 1
    while depth > 0:
        left = ends[depth - 1]
        sharpest = np.inf
        for row in range(count):
            if high[row] > left and low[row] < right and scale[row] < sharpest:
                sharpest = scale[row]
        if right - left > LONGEST * sharpest and depth < _DEPTH:
            middle = 0.5 * (left + right)
            if left < middle < right:
                ends[depth] = middle
                depth += 1
                continue
        depth -= 1
        half = 0.5 * (right - left)
        center = left + half
        taking, moved = 0, np.nan
        product[:] = 1.0
        for row in range(count):
            if high[row] <= left:
                continue
            inside[taking] = row
            for node in range(NODES):
                at = center + half * _NODES[node] - shift[row]
                if normal:
                    away = (at - first[row]) / second[row]
                    density[taking, node] = half * exp(constant[row] - 0.5 * away * away)
                else:
                    if shift[row] != moved:
                        odds_down[node] = log1p(exp(-at)) if at > -500.0 else -at
                        odds_up[node] = odds_down[node] + at
                    density[taking, node] = half * exp(
                        constant[row] - first[row] * odds_down[node] - second[row] * odds_up[node]
                    )
            for node in range(NODES):
                upper = above[row]
                for other in range(NODES):
                    upper += _ABOVE[node, other] * density[taking, other]
                below[taking, node] = max(1.0 - upper, SMALLEST)
                product[node] *= below[taking, node]
            taking, moved = taking + 1, shift[row]
        for place in range(taking):
            mass = 0.0
            gained = 0.0
            for node in range(NODES):
                weighted = _WEIGHTS[node] * density[place, node]
                mass += weighted
                gained += weighted * (product[node] / below[place, node])
            above[inside[place]] += mass
            chance[inside[place]] += gained
        right = left
    total = chance.sum()
    for row in range(count):
        chance[row] /= total
    return chance


_column = types.Array(types.float64, 1, "C", readonly=True)


_run = compiled(types.float64[::1](types.boolean, _column, _column, _column))(_largest)


def largest_beta(successes: Floats, failures: Floats, lift: Floats) -> Floats:
    """Return the chance of each row that its draw from Beta(successes, failures), with its odds multiplied by
    e^``lift``, is the largest; they sum to 1.

    >>> largest_beta(np.array([1.0, 1.0]), np.array([1.0, 1.0]), np.zeros(2)).round(9).tolist()
    [0.5, 0.5]
    """
    chance: Floats = _run(False, successes, failures, lift)
    return chance


def largest_normal(mean: Floats, deviation: Floats) -> Floats:
    """Return the chance of each row that its draw from Normal(mean, deviation²) is the largest; they sum to 1.

    >>> largest_normal(np.array([0.0, 1.0]), np.array([1.0, 1.0])).round(6).tolist()
    [0.23975, 0.76025]
    """
    chance: Floats = _run(True, mean, deviation, np.zeros(len(mean)))
    return chance
