"""How relevant what is found is, on purchases that came later: the UCI Online Retail benchmark.

The data set is cleaned to 397,884 rows of 4,338 customers and 3,877 items (``learning.retail``) and cut by time: what
was bought before 2011-09-01 is known, what was bought from then on is looked for. Customers count who bought before the
cut and afterwards bought something that they never had: only such new pairs of customer and item are looked for, and
only items that somebody had bought before the cut can be found or looked for. What a customer had is never offered
again. All settings (of ALS, of the hybrid's blend) are chosen, and the ranker is trained, on the slice before the cut:
models of 2011-06-01, purchases from then to 2011-09-01.

recall@20 is the number of wanted items among 20, over the most that 20 places can hold; NDCG@10 is the sum of
1 / log2(1 + rank) over the wanted items among 10, over the best possible sum. Both are means over customers, with
percentile bootstrap intervals over customers; differences are paired.

``random`` draws from what may be offered; ``popularity`` counts customers per item, ``recent_popularity`` the same with
a half-life of 30 days (the best one-line rule found here); ``als`` is ``FactorRetriever``, ``hybrid`` is
``HybridRetriever``, both asked as a request asks them, with the last 50 items that a customer bought; ``ranker`` is
LambdaRank over the top 100 of ALS.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from scoring_core.candidates.factors import FactorRetriever, gram_of
from scoring_core.candidates.hybrid import HybridRetriever
from scoring_core.candidates.protocol import Ordinals
from scoring_core.learning.comparisons import bootstrap_mean
from scoring_core.learning.factors import Factorisation, factorise, person_items
from scoring_core.learning.hybrid import Blend, choose, evidence
from scoring_core.learning.reranking import SHOWN, Lists, fit_ranker, lists_of, ndcg_of
from scoring_core.learning.retail import Retail, day, read_retail
from scoring_core.learning.retrieval import SLOTS, Next, by_popularity, next_touches
from scoring_core.live import ItemFeatures, Shelf
from scoring_core.scorers.protocol import Floats
from storage.records.clock import iso
from storage.records.events import ITEM_STATS

CHOOSING, CUT, END = day(2011, 6, 1), day(2011, 9, 1), day(2012, 1, 1)
TRIED = tuple(
    Factorisation(factors=factors, regularisation=regularisation, alpha=alpha)
    for factors in (32, 64)
    for regularisation in (1.0, 10.0, 30.0)
    for alpha in (1.0, 5.0)
)
"""The factorisations that are tried; 64 factors are the most that a request affords."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What there is at a cut: who wants what afterwards, and the models of that day."""

    coming: Next
    shelf: Shelf
    items: ItemFeatures
    als: FactorRetriever
    hybrid: HybridRetriever


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Per customer: recall@20 of each way to find, NDCG@10 of each order, of the same customers in the same order."""

    recalls: Mapping[str, Floats]
    gains: Mapping[str, Floats]
    chosen: Mapping[str, Any] = field(default_factory=dict)


def relevance(path: Path, *, seed: int = 1, say: Say = lambda _text: None) -> Mapping[str, Any]:
    """Run the benchmark on the data set at ``path``; ``say`` is told how far it is.

    Raises
    ------
    NotFound, Invalid
        If the file is not the data set.
    """
    retail = read_retail(path)
    say(f"{len(retail.known):,} purchases of {retail.known.people:,} customers, {retail.known.items:,} items")
    measured = _measured(retail, seed=seed, say=say)
    rng = np.random.Generator(np.random.PCG64(seed))
    figures = {
        name: _figure(values, f"recall@{SLOTS}", rng) | _also(name, measured, rng)
        for name, values in measured.recalls.items()
    }
    figures["ranker"] = _figure(measured.gains["ranker"], f"ndcg@{SHOWN}", rng)
    pairs = (("hybrid", "als"), ("als", "popularity"), ("hybrid", "popularity"), ("als", "recent_popularity"))
    return {
        **figures,
        "differences": {
            **{
                f"{one}-{other}": _figure(measured.recalls[one] - measured.recalls[other], f"recall@{SLOTS}", rng)
                for one, other in pairs
            },
            **{
                f"ranker-{other}": _figure(measured.gains["ranker"] - values, f"ndcg@{SHOWN}", rng)
                for other, values in measured.gains.items()
                if other != "ranker"
            },
        },
        "customers": len(measured.gains["ranker"]),
        "rows": len(retail.known),
        "cut": iso(CUT),
        "chosen": measured.chosen,
        "seed": seed,
    }


def _measured(retail: Retail, *, seed: int, say: Say) -> Measured:
    before, _ = retail.known.split(CUT)
    past, later = before.split(CHOOSING)
    coming = next_touches(past, later, at=CHOOSING)
    shelf = retail.shelf(CHOOSING)
    say(f"choosing on {len(coming.people):,} customers, {iso(CHOOSING)[:10]} to {iso(CUT)[:10]}")
    how, tried = _choose_factorisation(coming, retail, seed=seed)
    say(f"ALS: {how.factors} factors, λ {how.regularisation:g}, α {how.alpha:g}; recall {max(tried.values()):.4f}")
    blend, told = choose(before, shelf, seed=seed, start=Blend(factorisation=how), cut=CHOOSING)
    say(f"hybrid: {blend.document()}; recall {told['best']:.4f}")
    trained = _moment(retail, CHOOSING, CUT, how=how, blend=blend, seed=seed)
    ranker = fit_ranker(_lists(retail, trained), seed=seed)
    say("ranker trained; measuring")
    tested = _moment(retail, CUT, END, how=how, blend=blend, seed=seed)
    lists = _lists(retail, tested)
    trend = tested.items.values[:, ITEM_STATS.index("trend")]
    ways = {
        "random": _at_random(seed),
        "popularity": by_popularity(tested.coming.buyers),
        "recent_popularity": by_popularity(trend),
        "als": tested.coming.retrieved(tested.als),
        "hybrid": tested.coming.retrieved(tested.hybrid),
    }
    scores = ranker.score(lists.table).values
    orders = {
        "ranker": lists.ranked(scores),
        "als": lists.ranked(-np.arange(len(lists.table), dtype=np.float64)),
        "hybrid": _each(tested.coming, ways["hybrid"]),
        "popularity": _each(tested.coming, ways["popularity"]),
        "recent_popularity": _each(tested.coming, ways["recent_popularity"]),
    }
    return Measured(
        recalls={name: tested.coming.recalls(way) for name, way in ways.items()},
        gains={name: ndcg_of(found, tested.coming) for name, found in orders.items()},
        chosen={
            "als": how.document(),
            "hybrid": blend.document(),
            "customers": len(coming.people),
            "recall": {"als": max(tried.values()), "hybrid": told["best"]},
        },
    )


def _choose_factorisation(
    coming: Next, retail: Retail, *, seed: int
) -> tuple[Factorisation, Mapping[Factorisation, float]]:
    matrix = person_items(retail.known.split(coming.at)[0], at=coming.at)
    found = {how: float(coming.recalls(coming.retrieved(_als(matrix, how, seed=seed))).mean()) for how in TRIED}
    return max(found, key=lambda how: found[how]), found


def _als(matrix: Any, how: Factorisation, *, seed: int) -> FactorRetriever:
    factors = factorise(matrix, how, seed=seed)
    return FactorRetriever(
        name="als",
        version="1",
        digest="",
        factors=factors,
        gram=gram_of(factors),
        regularisation=how.regularisation,
        alpha=how.alpha,
        half_life_s=np.inf,
    )


def _moment(retail: Retail, at: int, end: int, *, how: Factorisation, blend: Blend, seed: int) -> Moment:
    past, later = retail.known.split(at)
    later, _ = later.split(end)
    shelf = retail.shelf(at)
    learned = evidence(past, shelf, at=at, seed=seed, blend=blend, penalties=(blend.penalty,))
    return Moment(
        coming=next_touches(past, later, at=at),
        shelf=shelf,
        items=retail.statistics(at),
        als=_als(person_items(past, at=at), how, seed=seed),
        hybrid=learned.retriever(blend),
    )


def _lists(retail: Retail, moment: Moment) -> Lists:
    return lists_of(
        moment.coming,
        retail,
        shelf=moment.shelf,
        items=moment.items,
        first=moment.als,
        retrievers={
            "als": moment.als,
            "hybrid": moment.hybrid,
            "links": replace(moment.hybrid, factor_weight=0.0),
        },
    )


def _at_random(seed: int) -> Callable[[int, Any], Ordinals]:
    rng = np.random.Generator(np.random.PCG64(seed))
    return lambda _person, allowed: rng.permutation(np.flatnonzero(allowed))[:SLOTS]


def _each(coming: Next, way: Callable[[int, Any], Ordinals]) -> list[Ordinals]:
    return [way(person, coming.allowed(person)) for person in coming.people]


def _figure(values: Floats, metric: str, rng: np.random.Generator) -> dict[str, Any]:
    low, high = bootstrap_mean(values, rng)
    return {"metric": metric, "value": float(values.mean()), "low": low, "high": high}


def _also(name: str, measured: Measured, rng: np.random.Generator) -> dict[str, Any]:
    gains = measured.gains.get(name)
    return {} if gains is None else {f"ndcg@{SHOWN}": _figure(gains, f"ndcg@{SHOWN}", rng)}
