"""Which segments a person belongs to, and how sure that is; pure over what is counted of them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring_core.conditions import compile_condition
from scoring_core.scorers.protocol import Floats
from storage.records.clock import DAY, SECOND, moment
from storage.records.decisions import VECTOR_DTYPE
from storage.records.events import Scalar
from storage.records.segments import STANDARD_SEGMENTS, Measure, SegmentRule
from storage.records.subjects import COUNTERS, MOST_RECENT, RECENT_DTYPE, ROLES, UserState

READS = frozenset({"counts", "recent", "first_at"})
"""The parts of ``UserState`` that the standard segments are told by."""
COUNTED = (*COUNTERS, "different", "looks")
"""What rules may name: the counters, how many different items are remembered, and at least how many looks went there.
"""
LOOKS = [COUNTERS.index(name) for name in ("views", "clicks", "likes", "carts", "wishes", "purchases")]
TOUCHED = ROLES["interest"] | ROLES["commitment"]
DIGITS = 6
"""Confidence is rounded, so that no library's last bit decides who belongs."""
PRIOR = 2.0
THIRD = 1.0 / 3.0


@dataclass(frozen=True, slots=True)
class Edges:
    """The values of one measure at one side: of which rules (by place), what counts as part and whole, and whether the
    probability of being above is added (1) or taken away (−1)."""

    measure: Measure
    rules: NDArray[np.int64]
    part: Floats
    whole: Floats
    value: Floats
    sign: float


@dataclass(frozen=True, slots=True)
class Segmentation:
    """An installation's segments made ready: the measured rules' names, confidence where nothing is added or taken
    away, and least confidence; the conditions of its own segments; and the parts of ``UserState`` that all this asks.
    """

    names: tuple[str, ...]
    start: Floats
    least: Floats
    edges: tuple[Edges, ...]
    own: Mapping[str, Callable[[Mapping[str, Any]], bool]]
    reads: frozenset[str] = READS


def segmentation(declared: Mapping[str, SegmentRule]) -> Segmentation:
    """Put an installation's own rules over the standard ones."""
    rules = {name: rule for name, rule in {**STANDARD_SEGMENTS, **declared}.items() if rule.enabled}
    measured = {name: rule for name, rule in rules.items() if rule.measure != "condition"}
    own = {name: compile_condition(rule.when) for name, rule in rules.items() if rule.measure == "condition"}
    asked = list(measured.values())
    edges = [_edges(measure, side, asked) for measure in _ABOVE for side in ("above", "below")]
    return Segmentation(
        names=tuple(measured),
        start=np.array([1.0 if rule.above is None else 0.0 for rule in asked]),
        least=np.array([rule.confidence for rule in asked]),
        edges=tuple(each for each in edges if each.rules.size),
        own=own,
        reads=READS | {"attributes"} if own else READS,
    )


def _edges(measure: Measure, side: str, asked: list[SegmentRule]) -> Edges:
    places = [at for at, rule in enumerate(asked) if rule.measure == measure and getattr(rule, side) is not None]
    rules = [asked[place] for place in places]
    return Edges(
        measure=measure,
        rules=np.array(places, dtype=np.int64),
        part=np.array([[float(name in rule.of) for rule in rules] for name in COUNTED]),
        whole=np.array([[float(name in rule.among) for rule in rules] for name in COUNTED]),
        value=np.array([getattr(rule, side) for rule in rules], dtype=np.float64),
        sign=1.0 if side == "above" else -1.0,
    )


def segments(user: UserState, now: int, rules: Segmentation | None = None) -> Mapping[str, float]:
    """Return the segments that a person belongs to, each with its confidence in (0, 1]; absent: does not belong.

    Certain with confidence 1 are age, conditions, and the cohorts ``cohort.YYYY-MM`` and ``cohort.YYYY-Www`` of when a
    person was first seen; ``confidences`` says how sure the others are.
    """
    rules = rules or STANDARD
    counted, age_days = tally(user, now)
    sure = confidences(counted[None], np.array([age_days]), rules)[0]
    found = {rules.names[place]: float(sure[place]) for place in np.flatnonzero(sure >= rules.least).tolist()}
    for cohort in cohorts(user.first_at):
        found[cohort] = 1.0
    if rules.own:
        person = told(
            counted,
            age_days=age_days,
            recency_days=_recency_days(user, now),
            events=user.events,
            attributes=user.attributes,
            found=found,
        )
        asked = {"user": person}
        found.update({name: 1.0 for name, holds in rules.own.items() if holds(asked)})
    return found


def confidences(counted: Floats, age_days: Floats, rules: Segmentation) -> Floats:
    """Return how sure it is that each rule holds of each person (people × rules), NaN where nothing is known.

    A share is a beta posterior, a weekly rate a gamma posterior; confidence is the probability that it lies beyond the
    rule's value. Both priors have their median at that value, so that without evidence neither side is likelier: the
    beta one weighs two observations, the gamma one a week. ``counted`` has ``COUNTED`` as columns.

    References
    ----------
    Gelman et al., Bayesian Data Analysis (3rd ed.), 2.4 and 2.6: P(p > s) = 1 − I_s(a + k, b + n − k),
    P(λ > r) = Q(a + k, r (b + t)). Medians: of beta (a − 1/3) / (a + b − 2/3), Kerman, arXiv:1111.0433; of gamma
    (a − 1/3) / b, Berg and Pedersen, Methods and Applications of Analysis 13, 2006.
    """
    found = np.repeat(rules.start[None], len(counted), axis=0)
    for edges in rules.edges:
        found[:, edges.rules] += edges.sign * _ABOVE[edges.measure](edges, counted, age_days[:, None])
    return np.maximum(found, 0.0).round(DIGITS)


def tally(user: UserState, now: int) -> tuple[Floats, float]:
    """Return what is counted of a person (``COUNTED``), and for how many days they are known (NaN: unknown).

    ``looks`` is the largest of the counts of what one does with an item. Who touched more items than are remembered is
    counted over the remembered span, at their mean pace.
    """
    found = np.zeros(len(COUNTED))
    counts = np.frombuffer(user.counts, dtype=VECTOR_DTYPE)
    found[: len(counts)] = counts
    rows = np.frombuffer(user.recent, dtype=RECENT_DTYPE)
    different = float(np.count_nonzero(rows["roles"] & TOUCHED))
    looks = float(found[LOOKS].max())
    if len(rows) >= MOST_RECENT and user.first_at and now > user.first_at:
        span = now - int(rows["at"].min()) * SECOND
        looks *= min(max(span / (now - user.first_at), 0.0), 1.0)
    found[-2:] = different, max(looks, different)
    return found, max(now - user.first_at, 0) / DAY if user.first_at else np.nan


def cohorts(first_at: int) -> tuple[str, ...]:
    """Return the cohorts of who was first seen then (UTC): the month's and the ISO week's.

    >>> cohorts(1_700_000_000_000_000)
    ('cohort.2023-11', 'cohort.2023-W46')
    """
    if not first_at:
        return ()
    day = moment(first_at)
    year, week, _ = day.isocalendar()
    return (f"cohort.{day:%Y-%m}", f"cohort.{year}-W{week:02}")


def told(
    counted: Floats,
    *,
    age_days: float,
    recency_days: float,
    events: int,
    attributes: Mapping[str, Scalar],
    found: Iterable[str],
) -> dict[str, Any]:
    """Return what the condition of an own segment may ask as ``user.NAME``; NaN days are unknown, so left out."""
    stated = {
        name: value.split("|") if isinstance(value, str) and "|" in value else value
        for name, value in attributes.items()
    }
    days = {"age_days": age_days, "recency_days": recency_days}
    known = {name: value for name, value in days.items() if not np.isnan(value)}
    counts = dict(zip(COUNTED, counted.tolist(), strict=True))
    return {**stated, **counts, **known, "events": events, "segments": list(found)}


def _recency_days(user: UserState, now: int) -> float:
    latest = int(np.frombuffer(user.recent, dtype=RECENT_DTYPE)["at"].max(initial=0))
    return max(now - latest * SECOND, 0) / DAY if latest else np.nan


def _age_above(edges: Edges, _counted: Floats, age_days: Floats) -> Floats:
    return np.where(np.isnan(age_days), np.nan, age_days >= edges.value)


def _rate_above(edges: Edges, counted: Floats, age_days: Floats) -> Floats:
    from scipy.special import gammaincc

    shape = PRIOR * edges.value + THIRD + counted @ edges.part
    sure: Floats = gammaincc(shape, edges.value * (PRIOR + age_days / 7.0))
    return sure


def _share_above(edges: Edges, counted: Floats, _age_days: Floats) -> Floats:
    from scipy.special import betaincc

    prior = edges.value * (PRIOR - 2.0 * THIRD) + THIRD
    whole = counted @ edges.whole
    part = np.minimum(counted @ edges.part, whole)
    sure: Floats = betaincc(prior + part, PRIOR - prior + whole - part, edges.value)
    return np.where(whole > 0.0, sure, np.nan)


_ABOVE: Mapping[Measure, Callable[[Edges, Floats, Floats], Floats]] = {
    "age_days": _age_above,
    "weekly": _rate_above,
    "share": _share_above,
}
"""The probability that what a measure measures is above its rules' values, NaN where nothing is known."""

STANDARD = segmentation({})
