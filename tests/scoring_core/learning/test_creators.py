"""Viewers and creators: who becomes whose customer is told better than by the creator's base rate, or it is refused."""

from dataclasses import replace

import numpy as np
import pytest

from scoring_core.learning.acts import with_makers
from scoring_core.learning.creators import RULES, learn_creators
from scoring_core.learning.pairs import FEATURES, pairs_at
from storage.errors import Invalid
from storage.records.clock import DAY
from storage.records.items import Catalogue, Item

from .crowds import START, acts_of, fans


@pytest.fixture(scope="module")
def found():
    return learn_creators(fans(), horizon_days=20.0, seed=1)


def test_it_beats_the_creators_base_rate(found):
    base = found.evaluation["rules"]["the creator's base rate"]
    assert base["verdict"] == "better"
    assert base["difference_low"] > 0.0
    assert set(found.evaluation["rules"]) == set(RULES)
    assert found.evaluation["predicted"] == pytest.approx(found.evaluation["became"], abs=0.05)
    assert found.calibration.error is not None


def test_a_pair_is_known_by_what_came_before():
    rows = [
        (0, START, "view", 0, 0.0),
        (0, START + DAY, "purchase", 1, 5.0),
        (0, START + 2 * DAY, "view", 2, 0.0),
        (1, START + 2 * DAY, "view", 0, 0.0),
        (0, START + 4 * DAY, "purchase", 0, 5.0),
        (1, START + 4 * DAY, "purchase", 2, 5.0),
    ]
    acts = replace(acts_of(rows, people=2), makers=("a", "b"), maker=np.array([0, 0, 1]))
    pairs = pairs_at(acts, START + 3 * DAY, START + 9 * DAY)
    assert list(zip(pairs.person.tolist(), pairs.maker.tolist(), strict=True)) == [(0, 0), (0, 1), (1, 0)]
    assert pairs.outcome.tolist() == [1.0, 0.0, 0.0]
    first = dict(zip(FEATURES, pairs.features[0].tolist(), strict=True))
    assert first["touches_of_creator"] == 2.0
    assert first["items_of_creator"] == 2.0
    assert first["recency_of_creator_days"] == 2.0
    assert first["purchases_of_creator"] == 1.0
    assert first["share_of_creator"] == pytest.approx(2 / 3)
    assert first["audience_of_creator"] == 2.0
    alone = pairs_at(acts, START + 3 * DAY, START + 9 * DAY, people=np.array([1]))
    assert alone.features.tobytes() == pairs.features[2:].tobytes()


def test_creators_are_named_by_an_attribute_of_items():
    acts = replace(acts_of([(0, START, "view", 0, 0.0)], people=1), items=("x", "y"))
    items = (Item(item_id="x", attributes={"seller": "Ann", "brand": "B"}), Item(item_id="z"))
    named, attribute = with_makers(acts, Catalogue(version=1, items=items))
    assert (named.makers, named.maker.tolist(), attribute) == (("Ann",), [0, -1], "seller")
    with pytest.raises(Invalid, match="no item names its creator"):
        with_makers(acts, Catalogue(version=1, items=(Item(item_id="x"),)))


def test_too_few_customers_are_refused():
    acts = fans()
    views = replace(acts, commits=np.array([False, False]))
    with pytest.raises(Invalid, match="0 became customers"):
        learn_creators(views, horizon_days=20.0, seed=1)
