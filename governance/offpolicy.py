"""What another policy would have earned on logged traffic: IPS, SNIPS, DR, and whether the log can tell at all."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from governance.bernstein import lower_bound
from governance.crossfit import Choices, expected
from governance.resampling import Interval, Target, intervals, units_of
from governance.support import Support, Weights, judged
from storage.errors import Invalid
from storage.records.findings import Verdict

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

LEVEL = 0.95
DRAWS = 4_000
BOOTSTRAP = "bootstrap-t"
BERNSTEIN = "empirical Bernstein, one-sided"

VERDICTS: Mapping[Support, Verdict] = {"supported": "pass", "thin": "unknown", "worthless": "unknown"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A target policy's value per row, and what that rests on. What cannot be told is None.

    ``logged`` is the mean reward of the policy that logged, ``lift`` the target's minus it, pair by pair.
    ``bounds`` are one-sided, each of which alone holds at ``level`` whatever the weights. ``unsupported_share`` are the
    rows whose logged probability is 0, which no estimate uses; ``clipped_share`` those whose weight was cut, and
    ``clipped_weight`` the part of all weight that was cut off: times the largest reward, the most that clipping hides.
    """

    n: int
    logged: Interval
    ips: Interval | None
    snips: Interval | None
    dr: Interval | None
    lift: Mapping[str, Interval]
    bounds: tuple[float, float] | None
    level: float
    draws: int
    ess: float
    mean_weight: float
    mean_weight_error: float
    max_weight: float
    unsupported_share: float
    clip: float | None
    clipped_share: float
    clipped_weight: float
    verdict: Support
    sentence: str

    @property
    def best(self) -> tuple[str, Interval] | None:
        """The estimator to read: DR where there is a model of the reward, else SNIPS."""
        return ("dr", self.dr) if self.dr is not None else ("snips", self.snips) if self.snips is not None else None

    def document(self) -> dict[str, Any]:
        """Return the estimate as plain values: estimators by name, their intervals beside them."""
        found = {name: each for name in ("ips", "snips", "dr") if (each := getattr(self, name)) is not None}
        plain = ("n", "ess", "mean_weight", "mean_weight_error", "max_weight", "unsupported_share", "clip")
        return {
            **{name: getattr(self, name) for name in plain},
            "clipped_share": self.clipped_share,
            "clipped_weight": self.clipped_weight,
            **{name: each.value for name, each in found.items()},
            "intervals": {
                **{name: [each.low, each.high] for name, each in found.items()},
                "level": self.level,
                "method": BOOTSTRAP,
                "draws": self.draws,
            },
            "bounds": None
            if self.bounds is None
            else {"ips": list(self.bounds), "level": self.level, "method": BERNSTEIN},
            "logged": asdict(self.logged),
            "lift": {name: asdict(each) for name, each in self.lift.items()},
            "verdict": self.verdict,
            "sentence": self.sentence,
        }


def estimate(
    reward: Floats,
    logged: Floats,
    target: Floats,
    *,
    seed: int,
    features: Floats | None = None,
    choices: Choices | None = None,
    units: Whole | None = None,
    clip: float | None = None,
    rewards: tuple[float, float] | None = None,
    level: float = LEVEL,
    draws: int = DRAWS,
) -> Estimate:
    """Estimate what a target policy would have earned per row.

    Parameters
    ----------
    reward
        What came of each row.
    logged
        The probability with which the logging policy did what the row says. Rows with 0 are counted as unsupported.
    target
        The probability with which the target policy would have done the same, in the same circumstances.
    seed
        Of the resamples, of the folds, of the choice of the bounds' cut.
    features
        The circumstances of each row, known before anything was chosen (rows × columns, NaN is unknown); with them DR
        is told too.
    choices
        For DR with a model that also knows what was chosen: needs the target's probability of every choice.
    units
        Rows of the same unit (a decision, a person) depend on each other and are drawn together; None: each by itself.
    clip
        The largest weight; None cuts none.
    rewards
        The least and the largest reward there can be; by default those seen, and 0 and 1.

    Notes
    -----
    w = target ÷ logged. IPS = mean(w·r); SNIPS = Σ w·r ÷ Σ w; DR = mean(q(target) + w·(r − q(logged))), q cross-fitted.
    ESS = (Σ w)² ÷ Σ w². A verdict is refused where ESS < 100 or < 1 % of the rows, or > 5 % of them are unsupported
    (*thin*), and where the mean weight is further than 3 standard errors from 1, or ESS < 10 (*worthless*). A row is
    one item in one slot: nothing is said of what the slots of a whole slate do to each other.

    References
    ----------
    Horvitz, Thompson, JASA 47 (1952) (IPS); Swaminathan, Joachims, The Self-Normalized Estimator for Counterfactual
    Learning, NeurIPS 2015; Dudík, Langford, Li, ICML 2011 (DR); Kong, A note on importance sampling using standardized
    weights, 1992 (ESS).

    Raises
    ------
    Invalid
        If columns differ in length, or hold what is no number, no probability, no weight.
    """
    _check(reward, logged, target, features, clip)
    rng = np.random.default_rng(seed)
    usable = logged > 0.0
    unsupported = 1.0 - float(usable.mean()) if len(usable) else 0.0
    r, raw = reward[usable], target[usable] / logged[usable]
    units = None if units is None else units[usable]
    weights = raw if clip is None else np.minimum(raw, clip)
    n, total = len(r), float(weights.sum())
    columns = [np.ones(n), weights, weights * r, r]
    if features is not None and n:
        some = None if choices is None else Choices(choices.made[usable], choices.target[usable])
        told = expected(r, features[usable], choices=some, units=units, rng=rng)
        columns.append(told.target + weights * (r - told.logged))
    low, high = rewards or (min(0.0, float(r.min(initial=0.0))), max(1.0, float(r.max(initial=1.0))))
    found: dict[str, Interval] = {}
    bounds = None
    if n > 1 and total > 0.0:
        sums = units_of(np.stack(columns, axis=1), units, rng)
        told_of = {name: each for name, each in _TARGETS.items() if len(columns) > 4 or not name.endswith("dr")}
        answers = intervals(sums, list(told_of.values()), level=level, draws=draws, rng=rng)
        found = {name: _within(name, each, low, high) for name, each in zip(told_of, answers, strict=True)}
        bounds = _bounds(sums, low, high, level, rng)
    mean = total / n if n else float("nan")
    error = float(weights.std(ddof=1)) / sqrt(n) if n > 1 else float("nan")
    squares = float((weights**2).sum())
    ess = total**2 / squares if squares else 0.0
    verdict, sentence = judged(
        Weights(n=n, ess=ess, mean=mean, error=error, unsupported=unsupported, clipped=clip is not None)
    )
    over = raw > weights
    return Estimate(
        n=n,
        logged=found.get("logged", Interval(float(r.mean()) if n else float("nan"), low, high)),
        ips=found.get("ips"),
        snips=found.get("snips"),
        dr=found.get("dr"),
        lift={name.removeprefix("lift_"): each for name, each in found.items() if name.startswith("lift_")},
        bounds=bounds,
        level=level,
        draws=draws,
        ess=ess,
        mean_weight=mean,
        mean_weight_error=error,
        max_weight=float(weights.max(initial=0.0)),
        unsupported_share=unsupported,
        clip=clip,
        clipped_share=float(over.mean()) if n else 0.0,
        clipped_weight=float((raw - weights).sum() / raw.sum()) if over.any() else 0.0,
        verdict=verdict,
        sentence=sentence,
    )


_TARGETS: Mapping[str, Target] = {
    "logged": Target(3, 0),
    "ips": Target(2, 0),
    "snips": Target(2, 1),
    "dr": Target(4, 0),
    "lift_ips": Target(2, 0, less=(3, 0)),
    "lift_snips": Target(2, 1, less=(3, 0)),
    "lift_dr": Target(4, 0, less=(3, 0)),
}
"""What is told of the columns: rows, weight, weight × reward, reward, DR's score."""


def _bounds(sums: Floats, low: float, high: float, level: float, rng: np.random.Generator) -> tuple[float, float]:
    """Return a lower and an upper bound; the upper one is of what the target misses of the largest reward."""
    size = float(sums[:, 0].mean())
    gained, missed = sums[:, 2] - low * sums[:, 1], high * sums[:, 1] - sums[:, 2]
    least = low + lower_bound(np.maximum(gained, 0.0) / size, level=level, rng=rng)
    most = high - lower_bound(np.maximum(missed, 0.0) / size, level=level, rng=rng)
    return least, most


def _within(name: str, found: Interval, low: float, high: float) -> Interval:
    """Keep an interval within what there can be at all."""
    if name.startswith("lift"):
        low, high = low - high, high - low
    return Interval(found.value, max(found.low, min(low, found.value)), min(found.high, max(high, found.value)))


def _check(reward: Floats, logged: Floats, target: Floats, features: Floats | None, clip: float | None) -> None:
    if not len(reward) == len(logged) == len(target) or (features is not None and len(features) != len(reward)):
        raise Invalid("off-policy: reward, logged, target and features need one value per row")
    for name, column in (("reward", reward), ("logged", logged), ("target", target)):
        if not np.isfinite(column).all():
            raise Invalid(f"off-policy: {name} holds what is no number; leave such rows out")
    for name, column in (("logged", logged), ("target", target)):
        if (column < 0.0).any() or (column > 1.0).any():
            raise Invalid(f"off-policy: {name} is a probability, from 0 to 1")
    if clip is not None and not clip > 0.0:
        raise Invalid("off-policy: clip is the largest weight, above 0")
