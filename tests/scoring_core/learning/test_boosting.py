"""Members on half-samples: what each of them sees."""

from typing import NamedTuple

import lightgbm
import numpy as np
import pytest

from scoring_core.learning.boosting import fit, parameters

ROWS, SLATE = 8_000, 4


class Rows(NamedTuple):
    """Labels that the first feature explains."""

    clicked: np.ndarray
    weight: np.ndarray
    decision: np.ndarray


def rows_of(seed: int = 1) -> tuple[Rows, np.ndarray]:
    rng = np.random.Generator(np.random.PCG64(seed))
    table = rng.random((ROWS, 3))
    clicked = rng.random(ROWS) < table[:, 0] * 0.5
    return Rows(clicked, rng.uniform(0.5, 2.0, ROWS), np.arange(ROWS) // SLATE), table


def seen(text: str) -> int:
    """How many rows a member's first tree was grown on."""
    tree = lightgbm.Booster(model_str=text).dump_model()["tree_info"][0]["tree_structure"]
    return int(tree["internal_count"])


@pytest.mark.parametrize("objective", ["binary", "lambdarank"])
def test_each_member_sees_its_own_half_and_one_alone_sees_all(objective):
    rows, table = rows_of()
    about = {"names": ("a.b", "c", "d"), "trees": 2, "seed": 1, "objective": objective}
    several = fit(rows, table, members=4, **about)
    assert len(set(several)) == 4
    sizes = [seen(text) for text in several]
    assert all(abs(size - ROWS / 2) < 5 * np.sqrt(ROWS * SLATE) / 2 for size in sizes), sizes
    assert len(set(sizes)) > 1
    assert objective == "binary" or not any(size % SLATE for size in sizes), "decisions are drawn whole"
    (alone,) = fit(rows, table, members=1, **about)
    assert seen(alone) == ROWS
    assert "feature_names=a__b c d" in several[0]


def test_a_leaf_holds_the_same_share_of_what_its_member_sees():
    alone, shared = (parameters("binary", 100_000, members=members) for members in (1, 10))
    assert (alone.pop("min_data_in_leaf"), shared.pop("min_data_in_leaf")) == (200, 100)
    assert alone == shared


def test_weights_stay_with_their_rows():
    rows, table = rows_of()
    nobody = rows._replace(clicked=table[:, 1] > 0.5, weight=np.where(table[:, 1] > 0.5, 1e-9, 1.0))
    for text in fit(nobody, table, names=("a", "b", "c"), members=3, trees=5, seed=1):
        assert lightgbm.Booster(model_str=text).predict(table).max() < 0.01
