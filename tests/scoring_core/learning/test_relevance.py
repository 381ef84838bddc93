"""The relevance benchmark: what it looks for, what it may know, and the order that it finds on real purchases."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scoring_core.learning.factors import Factorisation
from scoring_core.learning.interactions import Interactions
from scoring_core.learning.relevance import measured, relevance
from scoring_core.learning.reranking import ndcg_of
from scoring_core.learning.retail import COLUMNS, Retail, read_retail
from scoring_core.learning.retrieval import next_touches, recall
from storage.errors import Invalid, NotFound
from storage.records.clock import DAY
from storage.records.subjects import ROLES
from tests.tastes import START, item, touches

DATA = Path(os.environ.get("FAIRLEAD_SHARED_DATA", Path(__file__).parents[4] / "shared" / "data"))
FILE = DATA / "online_retail" / "online_retail.parquet"
WAYS = ("random", "popularity", "als", "hybrid", "ranker")
ITEMS = 200
CHOOSING, CUT, END = START + 12 * DAY, START + 20 * DAY, START + 31 * DAY
SMALL = (Factorisation(factors=8, regularisation=1.0), Factorisation(factors=8, regularisation=0.1))


def shop(known: Interactions) -> Retail:
    bought = replace(known, roles=np.full(len(known), ROLES["commitment"], dtype=np.uint8))
    return Retail(
        known=bought,
        price=2.0 + known.ordinal % 5,
        quantity=np.ones(len(known)),
        descriptions=tuple(item(number).title for number in range(ITEMS)),
    )


def purchases() -> Interactions:
    return touches(people=200, items=ITEMS, each=20)


def small(known: Interactions) -> Mapping[str, Any]:
    return measured(shop(known), choosing=CHOOSING, cut=CUT, end=END, tried=SMALL, seed=1)


@pytest.fixture(scope="module")
def found() -> Mapping[str, Any]:
    return small(purchases())


def test_taste_is_found_above_popularity_and_popularity_above_chance(found: Mapping[str, Any]) -> None:
    assert set(WAYS) <= set(found)
    for way in WAYS:
        assert set(found[way]) == {"recall@20", "ndcg@10"}
        for each in found[way].values():
            assert 0.0 <= each["low"] <= each["value"] <= each["high"] <= 1.0
    differences = found["differences"]
    for pair in ("als-popularity", "hybrid-popularity", "ranker-popularity"):
        assert differences[pair]["ndcg@10"]["low"] > 0.0, pair
    assert differences["als-popularity"]["recall@20"]["low"] > 0.0
    assert differences["popularity-random"]["recall@20"]["low"] > 0.0


def test_differences_are_those_of_the_same_customers(found: Mapping[str, Any]) -> None:
    for pair, figures in found["differences"].items():
        one, other = pair.split("-")
        for metric, each in figures.items():
            assert each["value"] == pytest.approx(found[one][metric]["value"] - found[other][metric]["value"])


def test_what_comes_after_the_cut_chooses_nothing(found: Mapping[str, Any]) -> None:
    known = purchases()
    after = known.at >= CUT
    mixed = known.ordinal.copy()
    mixed[after] = np.random.Generator(np.random.PCG64(9)).integers(0, ITEMS, int(after.sum()))
    other = small(replace(known, ordinal=mixed))
    assert other["chosen"] == found["chosen"]
    assert other["chosen_on"] == found["chosen_on"]
    assert other["hybrid"]["recall@20"]["value"] < found["hybrid"]["recall@20"]["value"]


def test_one_profile_over_two_domains_knows_more_than_nothing_of_a_stranger(found: Mapping[str, Any]) -> None:
    domains = found["domains"]
    assert domains["other-popularity"]["low"] > 0.0
    assert domains["both"]["value"] == pytest.approx(domains["own"]["value"] + domains["both-own"]["value"])


def test_only_new_pairs_of_known_people_and_sold_items_are_looked_for() -> None:
    known = shop(purchases()).known
    past, later = known.split(CUT)
    coming = next_touches(past, later, at=CUT)
    had = set(zip(past.person.tolist(), past.ordinal.tolist(), strict=True))
    sold = set(past.ordinal.tolist())
    for person in coming.people:
        assert any(who == person for who, _ in had)
        assert len(coming.wanted[person])
        for ordinal in coming.wanted[person].tolist():
            assert (person, ordinal) not in had
            assert ordinal in sold
        allowed = set(np.flatnonzero(coming.allowed(person)).tolist())
        assert allowed == {ordinal for ordinal in sold if (person, ordinal) not in had}


def test_recall_and_ndcg_by_hand() -> None:
    assert recall(np.array([1, 2]), np.array([2, 3, 4]), 2) == 0.5
    past, later = shop(purchases()).known.split(CUT)
    coming = next_touches(past, later, at=CUT)
    one = replace(coming, people=(7,), wanted={7: np.array([4, 9, 11])})
    gain = 1.0 / np.log2(3.0)
    best = 1.0 + 1.0 / np.log2(3.0) + 0.5
    assert ndcg_of([np.array([1, 9, 2])], one).tolist() == pytest.approx([gain / best])


def test_what_is_not_the_data_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="is no file"):
        read_retail(tmp_path / "nothing.parquet")
    text = tmp_path / "text.parquet"
    text.write_text("Description,Quantity\n")
    with pytest.raises(Invalid, match="is not the UCI Online Retail data set"):
        read_retail(text)
    pq.write_table(pa.table({name: pa.array([], pa.float64()) for name in COLUMNS[:3]}), text)
    with pytest.raises(Invalid, match="with the columns"):
        read_retail(text)


@pytest.mark.e2e
@pytest.mark.timeout(1_200)
def test_the_order_that_the_real_purchases_give() -> None:
    if not FILE.is_file():
        pytest.skip(f"the shared data is not here: {FILE}; set FAIRLEAD_SHARED_DATA")
    found = relevance(FILE)
    assert found["rows"] == 397_884
    recalls = {way: found[way]["recall@20"]["value"] for way in WAYS}
    assert recalls["random"] == pytest.approx(0.012, abs=0.003)
    assert recalls["popularity"] == pytest.approx(0.05, abs=0.01)
    assert recalls["als"] >= 0.10
    differences = found["differences"]
    assert differences["hybrid-als"]["recall@20"]["low"] > 0.0
    for rival in ("recent_popularity", "popularity"):
        assert differences[f"als-{rival}"]["recall@20"]["low"] > 0.0
    for rival in ("als", "popularity", "recent_popularity"):
        assert differences[f"ranker-{rival}"]["ndcg@10"]["low"] > 0.0
