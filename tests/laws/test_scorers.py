"""Laws that every scorer keeps."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from scoring_core.explain import attribute
from scoring_core.explore import explore, seeded
from scoring_core.live import Model
from scoring_core.plugins import gather, scorers
from scoring_core.scorers.choice import RECIPES, choose
from scoring_core.scorers.linear import Design, LinearScorer
from scoring_core.scorers.protocol import Floats, Scorer
from storage.records.models import Calibration
from storage.records.policies import ScorerChoice
from tests.scoring_core.world import ensemble, trees


def linear(arms: int = 0) -> LinearScorer:
    """A linear model over two numbers, a category of three levels, and perhaps a column of arms."""
    rng = np.random.Generator(np.random.PCG64(4))
    features = ("item.price", "context.age", "context.mood", *(("item.item_id",) if arms else ()))
    design = Design(
        mean=np.zeros(len(features)),
        scale=np.full(len(features), 2.0),
        levels=np.array([0, 0, 3] + [0] * bool(arms)),
        arm=3 if arms else -1,
    )
    roots = rng.normal(size=(arms + 1, design.width, design.width))
    return LinearScorer(
        name="linear",
        version="3",
        digest="d" * 64,
        features=features,
        design=design,
        theta=rng.normal(size=(arms + 1, design.width)),
        inverse=np.einsum("aij,akj->aik", roots, roots) + np.eye(design.width),
        noise=0.3,
    )


class Dear:
    """A plugin's scorer: the dearer the better."""

    features = ("item.price",)

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def score(self, table: Floats) -> Floats:
        return np.nan_to_num(table[:, 0]) * self.factor


class DearPlugin:
    """A scorer plugin as a package would bring it."""

    name, version, protocol = "dear", "1.0", 1

    def scorer(self, settings: Mapping[str, float]) -> Dear:
        return Dear(float(settings.get("factor", 1.0)))


PLUGINS = gather([("scorer", EntryPoint("dear", f"{__name__}:DearPlugin", "fairlead.scorers"))])
MODELS: Mapping[str, Model] = {
    "ranker": Model(trees(), Calibration(), {"item.kind": ("book", "shoe"), "context.mood": ("calm", "wild")}),
    "linear": Model(linear(), Calibration(), {"context.mood": ("wild", "calm", "sad")}),
    "arms": Model(linear(arms=4), Calibration()),
    **scorers(PLUGINS),
}


def chosen(name: str, **parameters: object) -> Callable[[], Scorer]:
    def make() -> Scorer:
        model = choose(ScorerChoice(name=name, parameters=parameters), MODELS)[1]
        assert model is not None, name
        return model.scorer

    return make


@dataclass(frozen=True)
class Member:
    """A scorer of the family. ``orders_by`` names the feature whose order it promises to keep; ``alone`` that a row's
    score depends on no other row."""

    make: Callable[[], Scorer]
    orders_by: str = ""
    alone: bool = True


SCORERS: Mapping[str, Member] = {
    "popular": Member(chosen("popular"), orders_by="stat.popularity"),
    "null": Member(chosen("null")),
    "linear ensemble": Member(ensemble),
    "gbdt": Member(chosen("gbdt", model="ranker")),
    "model": Member(chosen("model", model="ranker")),
    "formula": Member(chosen("formula"), orders_by="item.margin"),
    "formula by retriever": Member(chosen("formula", match_by="model.als"), orders_by="model.als"),
    "thompson": Member(chosen("thompson"), orders_by="stat.clicks"),
    "thompson with a floor": Member(chosen("thompson", floor=0.01, prior_successes=0.5)),
    "epsilon_greedy": Member(chosen("epsilon_greedy"), orders_by="stat.clicks"),
    "linucb": Member(chosen("linucb", model="linear")),
    "linucb per arm": Member(chosen("linucb", model="arms", alpha=2.0)),
    "linear_thompson": Member(chosen("linear_thompson", model="linear")),
    "linear_thompson per arm": Member(chosen("linear_thompson", model="arms", floor=0.02)),
    "hybrid by rank": Member(
        chosen(
            "hybrid",
            parts=(
                {"weight": 2.0, "scorer": {"name": "gbdt", "parameters": {"model": "ranker"}}},
                {"scorer": {"name": "linucb", "parameters": {"model": "linear"}}},
                {"scorer": {"name": "thompson"}},
                {"retriever": "als"},
            ),
        ),
        alone=False,
    ),
    "hybrid by z": Member(
        chosen("hybrid", normalise="z", parts=({"scorer": {"name": "popular"}},)),
        orders_by="stat.popularity",
        alone=False,
    ),
    "plugin": Member(chosen("plugin", plugin="dear", settings={"factor": 2.0}), orders_by="item.price"),
}

cells = st.floats(-1e6, 1e6) | st.just(float("nan"))


@pytest.fixture(params=SCORERS, scope="module")
def member(request: pytest.FixtureRequest) -> Member:
    return SCORERS[request.param]


@pytest.fixture(scope="module")
def scorer(member: Member) -> Scorer:
    return member.make()


def table(scorer: Scorer, data: st.DataObject, *, least: int = 0) -> Floats:
    rows = data.draw(st.integers(least, 12))
    drawn: Floats = data.draw(arrays(np.float64, (rows, len(scorer.features)), elements=cells))
    return drawn


def test_every_scorer_that_a_policy_may_name_is_a_member() -> None:
    assert set(RECIPES) <= {name.split(" ")[0] for name in SCORERS}


def test_it_says_who_it_is(scorer: Scorer) -> None:
    assert scorer.name
    assert scorer.version
    assert len(scorer.digest) >= 16
    assert len(set(scorer.features)) == len(scorer.features)


@settings(max_examples=30)
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


@settings(max_examples=30)
@given(data=st.data())
def test_the_same_table_gives_the_same_bytes_and_stays_as_it_was(scorer: Scorer, data: st.DataObject) -> None:
    given_table = table(scorer, data)
    before = given_table.tobytes()
    first, second = scorer.score(given_table), scorer.score(given_table.copy())
    assert first.values.tobytes() == second.values.tobytes()
    assert first.members.tobytes() == second.members.tobytes()
    assert given_table.tobytes() == before


@settings(max_examples=30)
@given(data=st.data())
def test_a_row_scores_the_same_alone_and_in_any_company(member: Member, scorer: Scorer, data: st.DataObject) -> None:
    if not member.alone:
        return
    given_table = table(scorer, data, least=1)
    row = data.draw(st.integers(0, len(given_table) - 1))
    alone = scorer.score(np.ascontiguousarray(given_table[row : row + 1]))
    together = scorer.score(given_table)
    assert alone.values[0].tobytes() == together.values[row].tobytes()
    assert alone.members[0].tobytes() == together.members[row].tobytes()


@settings(max_examples=30)
@given(data=st.data())
def test_it_does_not_matter_in_which_order_candidates_come(scorer: Scorer, data: st.DataObject) -> None:
    given_table = table(scorer, data, least=1)
    order = np.array(data.draw(st.permutations(range(len(given_table)))))
    turned = scorer.score(np.ascontiguousarray(given_table[order])).values
    np.testing.assert_allclose(turned, scorer.score(given_table).values[order], rtol=1e-12, atol=1e-12)


@settings(max_examples=30)
@given(data=st.data())
def test_more_of_what_it_orders_by_is_never_worse(member: Member, scorer: Scorer, data: st.DataObject) -> None:
    if not member.orders_by:
        return
    row = data.draw(arrays(np.float64, len(scorer.features), elements=st.floats(0, 1e4)))
    low, high = sorted(data.draw(st.tuples(st.floats(0, 1e4), st.floats(0, 1e4))))
    both = np.stack([row, row])
    both[:, scorer.features.index(member.orders_by)] = low, high
    worse, better = scorer.score(both).values
    assert better >= worse


@settings(max_examples=30)
@given(data=st.data())
def test_what_is_said_of_a_score_adds_up_to_it(scorer: Scorer, data: st.DataObject) -> None:
    given_table = table(scorer, data)
    said = attribute(scorer, given_table)
    if said is None:
        assert scorer.name in ("null", "linear", "plugin.dear")
        return
    assert said.contributions.shape == (len(given_table), len(said.names))
    values = scorer.score(given_table).values
    scale = 1.0 + np.abs(said.contributions).max(initial=0.0)
    np.testing.assert_allclose(said.base + said.contributions.sum(axis=1), values, rtol=1e-9, atol=1e-9 * scale)


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_nothing_known_is_still_an_order(scorer: Scorer, rows: int) -> None:
    scores = scorer.score(np.full((rows, len(scorer.features)), np.nan))
    assert len(scores.values) == rows
    assert np.isfinite(scores.values).all()
    if scores.draw is not None and rows:
        chances = scores.draw.chances(np.arange(rows), scores.values)
        assert chances.sum() == pytest.approx(1.0)
        if scorer.name != "epsilon_greedy":
            np.testing.assert_allclose(chances, 1.0 / rows, atol=1e-9)


@settings(max_examples=30)
@given(data=st.data())
def test_what_it_draws_from_is_a_distribution_over_what_is_left(scorer: Scorer, data: st.DataObject) -> None:
    given_table = table(scorer, data, least=1)
    scores = scorer.score(given_table)
    if scores.draw is None:
        return
    left = np.array(data.draw(st.permutations(range(len(given_table)))))[: data.draw(st.integers(1, len(given_table)))]
    chances = scores.draw.chances(left, scores.values)
    assert chances.shape == left.shape
    assert (chances >= 0.0).all()
    assert chances.sum() == pytest.approx(1.0, abs=1e-12)
    again = scorer.score(given_table).draw
    assert again is not None
    assert again.chances(left, scores.values).tobytes() == chances.tobytes()


@settings(max_examples=30)
@given(data=st.data(), seed=st.integers(0, 2**63 - 1))
def test_a_seed_gives_one_slate(scorer: Scorer, data: st.DataObject, seed: int) -> None:
    given_table = table(scorer, data)
    scores = scorer.score(given_table)
    greedy = (-scores.values).argsort(kind="stable")
    slates = [
        explore(greedy, 3, epsilon=0.1, rng=seeded(seed), pins={}, values=scores.values, draw=scores.draw)
        for _ in range(2)
    ]
    assert slates[0] == slates[1]
    assert len(slates[0].rows) == len(set(slates[0].rows)) == min(3, len(given_table))
    assert all(0.0 < each <= 1.0 for each in slates[0].propensity)
