"""The compiled trees give LightGBM's own bits, on random models and at the edges of each."""

import re

import lightgbm
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring_core.scorers.gbdt import GbdtScorer, digest, disagreements, member_file, probe
from scoring_core.scorers.kernel import BLOCK
from scoring_core.scorers.trees import MAX_LEAVES, compile_forest
from storage.errors import Invalid

QUIET = {"objective": "binary", "verbosity": -1, "num_threads": 1, "min_data_in_leaf": 3, "deterministic": True}


def text(seed=0, *, rows=400, columns=5, trees=5, missing=0.2, whole=False, **parameters) -> str:
    rng = np.random.default_rng(seed)
    table = rng.integers(-3, 4, (rows, columns)).astype(float) if whole else rng.normal(size=(rows, columns))
    label = (np.nansum(table[:, :2], axis=1) + rng.normal(size=rows) > 0).astype(float)
    table[rng.random(table.shape) < missing] = np.nan
    data = lightgbm.Dataset(table, label, params={"verbosity": -1})
    return lightgbm.train({**QUIET, "num_leaves": 8, "seed": seed, **parameters}, data, trees).model_to_string()


def scorer(*texts: str) -> GbdtScorer:
    forest = compile_forest(texts)
    features = tuple(f"f{column}" for column in range(forest.columns))
    return GbdtScorer(name="t", version="1", digest=digest(texts), features=features, texts=tuple(texts), forest=forest)


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**31 - 1),
    columns=st.integers(1, 9),
    trees=st.integers(1, 12),
    leaves=st.integers(2, MAX_LEAVES),
    missing=st.sampled_from([0.0, 0.05, 0.6]),
    whole=st.booleans(),
    use_missing=st.booleans(),
)
def test_every_member_equals_lightgbm_to_the_bit(seed, columns, trees, leaves, missing, whole, use_missing):
    members = [
        text(
            seed + member,
            columns=columns,
            trees=trees,
            num_leaves=leaves,
            missing=missing,
            whole=whole,
            use_missing=use_missing,
        )
        for member in range(2)
    ]
    ours = scorer(*members)
    assert disagreements(ours, probe(ours.forest, 500, np.random.default_rng(seed))) == 0


def test_a_model_of_the_benchmark_size_equals_lightgbm():
    ours = scorer(*(text(seed, rows=2_000, columns=50, trees=20, num_leaves=31) for seed in range(3)))
    assert ours.forest.trees == 60
    assert disagreements(ours, probe(ours.forest, 1_000, np.random.default_rng(1))) == 0


@pytest.mark.parametrize("rows", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 5])
def test_a_row_scores_the_same_alone_and_in_any_table(rows):
    ours = scorer(text(1), text(2))
    table = probe(ours.forest, rows, np.random.default_rng(rows))
    whole = ours.score(table)
    assert whole.values.shape == (rows,)
    assert whole.members.shape == (rows, 2)
    for row in range(min(rows, 7)):
        alone = ours.score(table[row : row + 1])
        assert alone.values[0] == whole.values[row]
        assert (alone.members[0] == whole.members[row]).all()


def test_the_value_is_the_mean_of_the_members():
    ours = scorer(text(1), text(2), text(3))
    scores = ours.score(probe(ours.forest, 100, np.random.default_rng(0)))
    np.testing.assert_allclose(scores.values, scores.members.mean(axis=1), rtol=1e-14)


def test_read_only_and_strided_tables_are_scored():
    ours = scorer(text(1))
    table = probe(ours.forest, 20, np.random.default_rng(0))
    expected = ours.score(table).values
    table.setflags(write=False)
    assert (ours.score(table).values == expected).all()
    assert (ours.score(np.asfortranarray(table)).values == expected).all()
    assert (ours.score(np.repeat(table, 2, axis=0)[::2]).values == expected).all()


def test_a_table_of_another_width_is_a_bug():
    with pytest.raises(ValueError, match="5 columns"):
        scorer(text(1)).score(np.zeros((1, 4)))


def test_a_tree_without_a_split_is_a_constant():
    constant = text(1, min_gain_to_split=1e9, trees=2)
    assert disagreements(scorer(constant), np.zeros((3, 5))) == 0


def test_a_flipped_leaf_is_found():
    whole = scorer(text(1), text(2))
    changed = scorer(re.sub("leaf_value=[^ ]+", "leaf_value=9", text(1), count=1), text(2))
    broken = GbdtScorer(
        name="t", version="1", digest="", features=whole.features, texts=whole.texts, forest=changed.forest
    )
    assert disagreements(broken, probe(whole.forest, 500, np.random.default_rng(0))) > 0
    assert digest(changed.texts) != whole.digest != digest(whole.texts[::-1])


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (lambda: "nonsense", "no LightGBM text model"),
        (lambda: text(1).replace("leaf_value=", "leaf_value=x"), "damaged"),
        (lambda: text(1).replace("left_child=", "left_infant="), "damaged"),
        (lambda: text(1, num_leaves=MAX_LEAVES + 20, rows=3_000, min_data_in_leaf=1), "64 is the most"),
        (lambda: text(1, zero_as_missing=True, whole=True), "zero_as_missing"),
        (lambda: text(1, linear_tree=True, missing=0.0), "linear"),
        (lambda: text(1, objective="multiclass", num_class=2), "more than one class"),
        (lambda: text(1, boosting="rf", bagging_freq=1, bagging_fraction=0.5), "averages"),
        (lambda: text(1, trees=3).split("\nTree=")[0], "no tree"),
    ],
)
def test_what_the_kernel_does_not_know_is_refused(broken, reason):
    with pytest.raises(Invalid, match=reason):
        compile_forest([broken()])


def test_categorical_splits_are_refused():
    rng = np.random.default_rng(0)
    table = rng.integers(0, 9, (500, 2)).astype(float)
    data = lightgbm.Dataset(table, (table[:, 0] % 2), categorical_feature=[0], params={"verbosity": -1})
    categorical = lightgbm.train({**QUIET, "num_leaves": 4, "min_data_per_group": 1, "cat_smooth": 0}, data, 3)
    with pytest.raises(Invalid, match="category"):
        compile_forest([categorical.model_to_string()])


def test_members_are_numbered_files():
    assert member_file(3) == "member-03.txt"
