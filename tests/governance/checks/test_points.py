"""Every value of Fairlearn's own answers, from counts."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from governance.checks.disparity import disparity
from governance.checks.points import classified, fairness_metrics, points

RATE = np.array([0.0, 1.0])
NAMES = {
    "selection_rate": "selection_rate",
    "true_positive_rate": "tpr",
    "false_positive_rate": "fpr",
    "true_negative_rate": "tnr",
    "false_negative_rate": "fnr",
    "mean_prediction": "mean_prediction",
    "accuracy": "accuracy",
}
ANSWERS = {
    "difference_between_groups": "difference",
    "difference_to_overall": "difference_to_overall",
    "ratio_between_groups": "ratio",
    "ratio_to_overall": "ratio_to_overall",
}


def shared(name: str) -> Path:
    root = Path(os.environ.get("FAIRLEAD_SHARED_DATA", Path(__file__).parents[4] / "shared" / "data"))
    if not (root / name).exists():
        pytest.skip(f"shared data {name} is not here; name its folder in FAIRLEAD_SHARED_DATA")
    return root / name


def same(found: float, expected: object) -> bool:
    wanted = float("nan") if expected in {None, "NaN"} else expected
    return found == pytest.approx(wanted, abs=1e-9, nan_ok=True)


def counted(vector) -> tuple[list[str], np.ndarray, np.ndarray]:
    names = sorted({str(group) for group in vector["sensitive"]})
    weights = vector["sample_weight"] or [1.0] * len(vector["y_true"])
    counts, rows = np.zeros((len(names), 2, 2)), np.zeros(len(names))
    for group, label, prediction, weight in zip(
        vector["sensitive"], vector["y_true"], vector["y_pred"], weights, strict=True
    ):
        counts[names.index(str(group)), label, prediction] += weight
        rows[names.index(str(group))] += 1
    return names, counts, rows


def test_every_value_equals_fairlearns():
    vectors = json.loads(shared("fairness/fairlearn_vectors.json").read_text())["vectors"]
    compared = 0
    for vector in vectors:
        names, counts, rows = counted(vector)
        found, expected = classified(names, counts), vector["expected"]
        assert dict(zip(names, rows.tolist(), strict=True)) == expected["by_group"]["count"]
        for theirs, ours in NAMES.items():
            assert same(found[ours].overall, expected["overall"][theirs]), vector["name"]
            for group, value in expected["by_group"][theirs].items():
                assert same(found[ours].by_group[group], value), (vector["name"], theirs, group)
                compared += 1
            for question, answer in ANSWERS.items():
                assert same(getattr(found[ours], answer), expected[question][theirs]), (vector["name"], theirs)
                compared += 1
        told = fairness_metrics(found)
        assert told.keys() == expected["fairness_metrics"].keys()
        for name, value in expected["fairness_metrics"].items():
            assert same(told[name], value), (vector["name"], name)
            compared += 1
    assert len(vectors) == 14
    assert compared == 14 * 16 + sum(7 * (4 + len(vector["expected"]["by_group"]["count"])) for vector in vectors)


def test_our_own_values_are_fairlearns():
    for vector in json.loads(shared("fairness/fairlearn_vectors.json").read_text())["vectors"]:
        if vector["sample_weight"] is not None:
            continue
        names, counts, _ = counted(vector)
        selected = counts.sum(axis=1).astype(np.int64)
        ours = disparity(names, selected, RATE, rng=np.random.default_rng(0), min_group=1)
        theirs = points(names, selected, RATE)
        assert same(ours.overall, theirs.overall)
        for group in ours.groups:
            assert same(group.value, theirs.by_group[group.group])
        if len(names) > 1:
            assert same(ours.difference, theirs.difference)
