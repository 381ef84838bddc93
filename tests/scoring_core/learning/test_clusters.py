"""Clustered segments: the groups that there are are found and named, and where there are none it is said."""

import numpy as np
import pytest

from scoring_core.features.segments import COUNTED
from scoring_core.learning.clusters import learn_clusters, unregistered
from storage.errors import Invalid


def counted(groups: dict[str, dict[str, float]], *, each: int = 200, seed: int = 2):
    """People of groups whose counts are Poisson of the group's means; what is not named is 2."""
    rng = np.random.Generator(np.random.PCG64(seed))
    rows = np.zeros((each * len(groups), len(COUNTED)))
    for place, means in enumerate(groups.values()):
        for name in ("views", "purchases", "searches"):
            rows[place * each : (place + 1) * each, COUNTED.index(name)] = rng.poisson(means.get(name, 2.0), each)
    return rows


def test_groups_are_found_and_said_in_plain_words():
    rows = counted({"buyers": {"purchases": 60.0}, "lookers": {"views": 300.0, "purchases": 0.2}}, each=250)
    found = learn_clusters(rows, seed=1)
    assert found.agreement > 0.9
    assert len(found.titles) == 2
    assert sum("buys often" in title.lower() for title in found.titles) == 1
    model = unregistered(found)
    columns = [COUNTED.index(name) for name in model.features]
    sure = model.belonging(rows[:, columns])
    assert np.allclose(sure.sum(axis=1), 1.0)
    first = sure[:250].argmax(axis=1)
    assert (first == np.bincount(first).argmax()).mean() > 0.95
    belongs = model.memberships(rows[:, columns])
    assert set(belongs) == {"cluster.1", "cluster.2"}
    assert all(((column == 0.0) | (column >= 0.7)).all() for column in belongs.values())


def test_the_same_people_and_seed_give_the_same_clusters():
    rows = counted({"a": {"purchases": 60.0}, "b": {"views": 300.0}})
    one, other = learn_clusters(rows, seed=1), learn_clusters(rows, seed=1)
    assert one.titles == other.titles
    assert one.arrays["means"].tobytes() == other.arrays["means"].tobytes()


def test_where_there_are_no_groups_none_are_claimed():
    rng = np.random.Generator(np.random.PCG64(3))
    rows = np.zeros((600, len(COUNTED)))
    for name in ("views", "purchases", "searches", "likes", "carts"):
        rows[:, COUNTED.index(name)] = np.expm1(np.abs(rng.normal(4.0, 0.6, 600)))
    with pytest.raises(Invalid, match="no clusters are found again"):
        learn_clusters(rows, seed=1)


def test_too_few_or_too_alike_people_are_refused():
    with pytest.raises(Invalid, match="10 people, 200 are the least"):
        learn_clusters(np.zeros((10, len(COUNTED))), seed=1)
    with pytest.raises(Invalid, match="do not differ"):
        learn_clusters(np.ones((300, len(COUNTED))), seed=1)
