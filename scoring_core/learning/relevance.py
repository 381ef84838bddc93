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
LambdaRank over the top 100 of ALS. ``domains`` asks whether one profile over several kinds of things is worth having:
``learning.domains``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from scoring_core.candidates.factors import FactorRetriever
from scoring_core.candidates.hybrid import HybridRetriever
from scoring_core.candidates.protocol import Ordinals
from scoring_core.learning.comparisons import bootstrap_mean
from scoring_core.learning.domains import across_domains
from scoring_core.learning.factors import Factorisation, choose_factorisation, learned
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


def relevance(path: Path, *, seed: int = 1, say: Say = lambda _text: None) -> Mapping[str, Any]:
    """Run the benchmark on the data set at ``path``; ``say`` is told how far it is.

    Raises
    ------
    NotFound, Invalid
        If the file is not the data set.
    """
    return measured(read_retail(path), choosing=CHOOSING, cut=CUT, end=END, tried=TRIED, seed=seed, say=say)


def measured(
    retail: Retail,
    *,
    choosing: int,
    cut: int,
    end: int,
    tried: Sequence[Factorisation],
    seed: int,
    say: Say = lambda _text: None,
) -> Mapping[str, Any]:
    """Choose and train on what was bought until ``cut`` (tried on what came from ``choosing`` on), measure on what was
    bought from then until ``end``."""
    say(f"{len(retail.known):,} purchases of {retail.known.people:,} customers, {retail.known.items:,} items")
    before, _ = retail.known.split(cut)
    how, factorisations = choose_factorisation(before, seed=seed, tried=tried, cut=choosing)
    say(
        f"ALS: {how.factors} factors, λ {how.regularisation:g}, α {how.alpha:g}, chosen on {iso(choosing)[:10]} to "
        f"{iso(cut)[:10]}"
    )
    blend, blends = choose(before, retail.shelf(choosing), seed=seed, start=Blend(factorisation=how), cut=choosing)
    say(f"hybrid: λ {blend.penalty:g}, content {blend.content_weight:g}, factors {blend.factor_weight:g}")
    trained = _moment(retail, choosing, cut, how=how, blend=blend, seed=seed)
    ranker = fit_ranker(_lists(retail, trained), seed=seed)
    say("ranker trained; measuring")
    tested = _moment(retail, cut, end, how=how, blend=blend, seed=seed)
    coming, lists = tested.coming, _lists(retail, tested)
    found = {
        "random": coming.found(_at_random(seed)),
        "popularity": coming.found(by_popularity(coming.buyers)),
        "recent_popularity": coming.found(by_popularity(tested.items.values[:, ITEM_STATS.index("trend")])),
        "als": coming.found(coming.retrieved(tested.als)),
        "hybrid": coming.found(coming.retrieved(tested.hybrid)),
        "ranker": lists.ranked(ranker.score(lists.table).values),
    }
    scores = {
        name: {f"recall@{SLOTS}": coming.recalls(each), f"ndcg@{SHOWN}": ndcg_of(each, coming)}
        for name, each in found.items()
    }
    rng = np.random.Generator(np.random.PCG64(seed))
    return {
        **{name: {metric: figure(values, rng) for metric, values in each.items()} for name, each in scores.items()},
        "differences": {
            f"{one}-{other}": {
                metric: figure(values - scores[other][metric], rng) for metric, values in scores[one].items()
            }
            for one, other in COMPARED
        },
        "domains": across_domains(coming, tested.hybrid, seed=seed),
        "customers": len(coming.people),
        "rows": len(retail.known),
        "split": {"choosing": iso(choosing), "cut": iso(cut), "end": iso(end)},
        "chosen": {"als": how.document(), "hybrid": blend.document()},
        "chosen_on": {"als": factorisations, "hybrid": blends},
        "seed": seed,
    }


COMPARED = (
    ("popularity", "random"),
    ("als", "popularity"),
    ("als", "recent_popularity"),
    ("hybrid", "als"),
    ("hybrid", "popularity"),
    ("ranker", "als"),
    ("ranker", "hybrid"),
    ("ranker", "popularity"),
    ("ranker", "recent_popularity"),
)


def figure(values: Floats, rng: np.random.Generator) -> dict[str, float]:
    """Return the mean and the ends of its 95 % interval."""
    low, high = bootstrap_mean(values, rng)
    return {"value": float(values.mean()), "low": low, "high": high}


def _moment(retail: Retail, at: int, end: int, *, how: Factorisation, blend: Blend, seed: int) -> Moment:
    past, later = retail.known.split(at)
    later, _ = later.split(end)
    shelf = retail.shelf(at)
    return Moment(
        coming=next_touches(past, later, at=at),
        shelf=shelf,
        items=retail.statistics(at),
        als=learned(past, how, at=at, seed=seed, name="als"),
        hybrid=evidence(past, shelf, at=at, seed=seed, blend=blend, penalties=(blend.penalty,)).retriever(blend),
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
