"""Nearest neighbours: exact below a size, by cells beyond, the same whether an index grew or was built at once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring_core.candidates.index import Neighbours, cells_of, unit, unit_rows

COUNT, SIZE = 400, 8


def cloud(seed: int = 1, count: int = COUNT) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, SIZE)).astype(np.float32)


@given(seed=st.integers(0, 50), quota=st.integers(1, 50), share=st.floats(0.0, 1.0))
@settings(max_examples=30)
def test_exact_search_is_what_comparing_each_gives(seed: int, quota: int, share: float) -> None:
    vectors, rng = cloud(seed), np.random.default_rng(seed)
    vectors[rng.integers(COUNT)] = np.nan
    vectors[rng.integers(COUNT)] = 0.0
    allowed = rng.random(COUNT) < share
    towards = unit(rng.normal(size=SIZE))
    assert towards is not None
    found = Neighbours(vectors).nearest(towards, allowed, quota)
    cosines = np.einsum("ij,j->i", unit_rows(vectors), towards)
    open_ = [place for place in range(COUNT) if allowed[place] and np.isfinite(cosines[place])]
    assert found.tolist() == sorted(open_, key=lambda place: (-cosines[place], place))[:quota]


def test_cells_find_nearly_all_that_exact_search_finds_and_nothing_that_is_not_allowed() -> None:
    vectors = cloud(count=3_000)
    centroids = cells_of(vectors, seed=1, exact_below=100)
    assert centroids.shape == (int(4 * 3_000**0.5), SIZE)
    assert np.array_equal(centroids, cells_of(vectors, seed=1, exact_below=100))
    exact, cells = Neighbours(vectors), Neighbours(vectors, centroids=centroids, exact_below=100)
    rng, shares = np.random.default_rng(2), []
    for _ in range(40):
        towards, allowed = unit(rng.normal(size=SIZE)), rng.random(3_000) < 0.5
        assert towards is not None
        found = cells.nearest(towards, allowed, 10)
        assert allowed[found].all() and len(set(found.tolist())) == len(found)
        cosines = cells.cosines(towards, found)
        assert (np.diff(cosines) <= 0).all()
        shares.append(np.isin(found, exact.nearest(towards, allowed, 10)).mean())
    assert np.mean(shares) > 0.8


def test_an_index_that_grew_equals_one_built_at_once() -> None:
    vectors = cloud(count=600)
    centroids = cells_of(vectors[:500], seed=1, exact_below=100)
    towards = unit(np.ones(SIZE))
    assert towards is not None
    one, other = (Neighbours(vectors, centroids=centroids, exact_below=100) for _ in range(2))
    allowed = np.ones(600, dtype=np.bool_)
    assert one.nearest(towards, allowed, 20).tolist() == other.nearest(towards, allowed, 20).tolist()
    assert one.cosines(towards)[:500].tobytes() == Neighbours(vectors[:500]).cosines(towards).tobytes()


@pytest.mark.parametrize("vector", [np.zeros(3), np.array([np.nan, 1.0, 0.0]), np.array([np.inf, 0.0, 0.0])])
def test_what_points_nowhere_has_no_unit(vector: np.ndarray) -> None:
    assert unit(vector) is None


def test_an_empty_space_has_no_neighbours() -> None:
    assert (
        len(Neighbours(np.zeros((5, 0), dtype=np.float32)).nearest(np.zeros(0, np.float32), np.ones(5, bool), 3)) == 0
    )
    assert cells_of(np.zeros((5, 0), dtype=np.float32), seed=1).shape == (0, 0)
