"""Laws that every scorer keeps."""

from collections.abc import Callable, Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from scoring_core.scorers.null import NullScorer
from scoring_core.scorers.popular import PopularScorer
from scoring_core.scorers.protocol import Floats, Scorer
from tests.scoring_core.world import ensemble, trees

SCORERS: Mapping[str, Callable[[], Scorer]] = {
    "popular": PopularScorer,
    "null": NullScorer,
    "linear ensemble": ensemble,
    "gbdt": trees,
}

cells = st.floats(-1e6, 1e6) | st.just(float("nan"))


@pytest.fixture(params=SCORERS, scope="module")
def scorer(request: pytest.FixtureRequest) -> Scorer:
    return SCORERS[request.param]()


def table(scorer: Scorer, data: st.DataObject, *, least: int = 0) -> Floats:
    rows = data.draw(st.integers(least, 12))
    drawn: Floats = data.draw(arrays(np.float64, (rows, len(scorer.features)), elements=cells))
    return drawn


def test_it_says_who_it_is(scorer: Scorer) -> None:
    assert scorer.name
    assert scorer.version
    assert len(scorer.digest) >= 16
    assert len(set(scorer.features)) == len(scorer.features)


@given(data=st.data())
def test_one_finite_score_per_row_and_members_beside_it(scorer: Scorer, data: st.DataObject) -> None:
    given_table = table(scorer, data)
    scores = scorer.score(given_table)
    assert scores.values.shape == (len(given_table),)
    assert scores.values.dtype == scores.members.dtype == np.float64
    assert scores.members.ndim == 2
    assert len(scores.members) == len(given_table)
    assert np.isfinite(scores.values).all()
    if scores.members.shape[1]:
        np.testing.assert_allclose(scores.values, scores.members.mean(axis=1), rtol=1e-9, atol=1e-9)


@given(data=st.data())
def test_the_same_table_gives_the_same_bytes_and_stays_as_it_was(scorer: Scorer, data: st.DataObject) -> None:
    given_table = table(scorer, data)
    before = given_table.tobytes()
    first, second = scorer.score(given_table), scorer.score(given_table.copy())
    assert first.values.tobytes() == second.values.tobytes()
    assert first.members.tobytes() == second.members.tobytes()
    assert given_table.tobytes() == before


@given(data=st.data())
def test_a_row_scores_the_same_alone_and_in_any_company(scorer: Scorer, data: st.DataObject) -> None:
    given_table = table(scorer, data, least=1)
    row = data.draw(st.integers(0, len(given_table) - 1))
    alone = scorer.score(np.ascontiguousarray(given_table[row : row + 1]))
    together = scorer.score(given_table)
    assert alone.values[0].tobytes() == together.values[row].tobytes()
    assert alone.members[0].tobytes() == together.members[row].tobytes()


def test_nothing_known_is_still_an_order(scorer: Scorer) -> None:
    scores = scorer.score(np.full((3, len(scorer.features)), np.nan))
    assert np.isfinite(scores.values).all()
