"""Point values as Fairlearn computes them, from counts instead of rows."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from governance.checks.permutation import Floats, Whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """Fairlearn's answers on one metric; NaN where it has none."""

    by_group: Mapping[str, float] = field(default_factory=dict)
    overall: float = float("nan")
    ratio: float = float("nan")
    difference: float = float("nan")
    ratio_to_overall: float = float("nan")
    difference_to_overall: float = float("nan")


def points(names: Sequence[str], counts: Whole | Floats, values: Floats) -> Points:
    """Return Fairlearn's ``MetricFrame`` of the mean of ``values``, from counts (groups × outcomes) as weights."""
    os.environ["DO_NOT_TRACK"] = "1"
    from fairlearn.metrics import mean_prediction

    group, outcome = np.nonzero(counts)
    worth = values[outcome]
    weight = np.asarray(counts, dtype=np.float64)[group, outcome]
    return _framed({"mean": mean_prediction}, worth, worth, np.asarray(names, dtype=object)[group], weight)["mean"]


def classified(names: Sequence[str], counts: Whole | Floats) -> dict[str, Points]:
    """Return Fairlearn's rates of a classifier by group, from counts (groups × label × prediction)."""
    os.environ["DO_NOT_TRACK"] = "1"
    from fairlearn import metrics
    from sklearn.metrics import accuracy_score

    group, label, prediction = np.nonzero(counts)
    weight = np.asarray(counts, dtype=np.float64)[group, label, prediction]
    rates = {
        "selection_rate": metrics.selection_rate,
        "tpr": metrics.true_positive_rate,
        "fpr": metrics.false_positive_rate,
        "tnr": metrics.true_negative_rate,
        "fnr": metrics.false_negative_rate,
        "mean_prediction": metrics.mean_prediction,
        "accuracy": accuracy_score,
    }
    return _framed(rates, label, prediction, np.asarray(names, dtype=object)[group], weight)


def fairness_metrics(found: Mapping[str, Points]) -> dict[str, float]:
    """Return Fairlearn's fairness metrics of a classifier, named ``metric|method`` or ``metric|method|aggregate``:
    demographic parity, equal opportunity, and equalized odds (Hardt et al., 2016) as the worse of both gaps and as
    their mean. What one of the two lacks, the other tells."""
    selected, tpr, fpr = found["selection_rate"], found["tpr"], found["fpr"]
    answers: dict[str, float] = {}
    for method, suffix in (("between_groups", ""), ("to_overall", "_to_overall")):
        for kind, worst in (("difference", max), ("ratio", min)):
            field_name = kind + suffix
            gaps = [float(getattr(each, field_name)) for each in (tpr, fpr)]
            known = [gap for gap in gaps if not np.isnan(gap)]
            answers[f"demographic_parity_{kind}|{method}"] = float(getattr(selected, field_name))
            answers[f"equal_opportunity_{kind}|{method}"] = gaps[0]
            answers[f"equalized_odds_{kind}|{method}|worst_case"] = float(worst(known, default=float("nan")))
            answers[f"equalized_odds_{kind}|{method}|mean"] = sum(known) / len(known) if known else float("nan")
    return answers


def _framed(metrics: Mapping[str, Any], label: Any, prediction: Any, group: Any, weight: Any) -> dict[str, Points]:
    import pandas as pd
    from fairlearn.metrics import MetricFrame

    frame = MetricFrame(
        metrics=dict(metrics),
        y_true=label,
        y_pred=prediction,
        sensitive_features=pd.Series(group, name="group"),
        sample_params={name: {"sample_weight": weight} for name in metrics},
    )
    asked = {
        "ratio": frame.ratio(method="between_groups"),
        "difference": frame.difference(method="between_groups"),
        "ratio_to_overall": frame.ratio(method="to_overall"),
        "difference_to_overall": frame.difference(method="to_overall"),
    }
    return {
        name: Points(
            by_group={str(each): float(value) for each, value in frame.by_group[name].items()},
            overall=float(frame.overall[name]),
            **{question: float(answer[name]) for question, answer in asked.items()},
        )
        for name in metrics
    }
