"""The fairness audit of a table of one's own: a classifier's answers by group and by intersection."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from math import ceil
from typing import Any
from zlib import crc32

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from governance.checks.answers import Answer, answer, groups_of
from governance.checks.comparison import Compared, Terms, compare, number, worst
from governance.checks.disparity import DETECT, MIN_GROUP, SCREEN
from governance.checks.points import Points, classified, fairness_metrics
from governance.checks.population import Grouping, Measure, classification, crossed
from storage.errors import Invalid, Problem

DECILES = 10
SEED = crc32(b"fairness")
RATES = ("selection_rate", "tpr", "fpr", "accuracy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which columns say what: ``label`` the truth (None: not known), ``prediction`` the answer, ``by`` the groups,
    ``control`` what rows must be alike in to be compared."""

    prediction: str
    by: tuple[str, ...]
    label: str | None = None
    control: str | None = None
    positive: str | None = None
    threshold: float = 0.5
    min_group: int = MIN_GROUP

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are read."""
        return tuple(name for name in (*self.by, self.prediction, self.label, self.control) if name)


def audit_table(table: pa.Table, asked: Asked) -> dict[str, Any]:
    """Return groups with values and intervals, gaps, verdict, and how many rows it would take.

    ``groups`` are those of all ``by`` together (Fairlearn's ``MetricFrame``); ``attributes`` those of each alone.

    Raises
    ------
    Invalid
        If a column holds no answer, or no ``by`` is named.
    """
    if not asked.by or len(set(asked.by)) < len(asked.by):
        raise Invalid("by: name each column of groups once", problems=(Problem(field="by", message="each once"),))
    prediction = answer(asked.prediction, table[asked.prediction], positive=asked.positive, threshold=asked.threshold)
    label = _label(table, asked)
    if label is not None:
        prediction = replace(prediction, values=np.where(label.values < 0, np.int8(-1), prediction.values))
        label = replace(label, values=np.where(prediction.values < 0, np.int8(-1), label.values))
    measures = (*classification(label.values if label else None, prediction.values), *_calibration(label, prediction))
    single = [groups_of(name, table[name]) for name in asked.by]
    groupings = [*single, crossed(single)] if len(single) > 1 else single
    strata = None if asked.control is None else groups_of(asked.control, table[asked.control]).codes
    terms = Terms(
        rng=np.random.Generator(np.random.PCG64(SEED)),
        family=len(measures) * len(groupings),
        min_group=asked.min_group,
    )
    audited = [_grouping(each, measures, label, prediction, terms=terms, strata=strata) for each in groupings]
    whole, every = audited[-1], [one for each in audited for one in each.compared]
    outcome = worst([one.found.outcome for one in every])
    growth = max((one.found.growth or float("inf") for one in every), default=float("inf"))
    needed = ceil(table.num_rows * growth) if np.isfinite(growth) else None
    said = [one.sentence for one in every if one.found.outcome == outcome]
    return {
        "rows": table.num_rows,
        "answered": int((prediction.values >= 0).sum()),
        "by": list(asked.by),
        "control": asked.control,
        "positive": {
            name: each.positive
            for name, each in ((asked.label, label), (asked.prediction, prediction))
            if name and each
        },
        "coverage": {each.name: _coverage(each) for each in single},
        **whole.plain(),
        "attributes": [each.plain() for each in audited[:-1]],
        "verdict": outcome,
        "sentence": "No disparity shown." if outcome == "not_shown" else " ".join(said),
        "needed_n": None if outcome != "inconclusive" else needed,
        "power": {"ratio": DETECT, "probability": 0.8, "n": needed},
        "screen": SCREEN,
        "interval_level": 0.95,
        "interval_method": "Wilson, by count",
        "versions": {name: version(name) for name in ("fairlead", "fairlearn")},
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """One grouping with everything that was found of it."""

    grouping: Grouping
    points: Mapping[str, Points]
    compared: tuple[Compared, ...]

    def plain(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        rates = [each for each in self.compared if each.measure.name in RATES]
        groups = []
        for place, (name, levels) in enumerate(zip(self.grouping.names, self.grouping.levels, strict=True)):
            told = {each.measure.name: each.found.groups[place] for each in self.compared}
            groups.append(
                {
                    "by": dict(zip(self.grouping.by, levels, strict=True)),
                    "n": told["selection_rate"].n,
                    **{
                        each: number(self.points[each].by_group.get(name, float("nan")))
                        for each in RATES
                        if each in told
                    },
                    "interval": {
                        each.measure.name: [told[each.measure.name].low, told[each.measure.name].high]
                        if told[each.measure.name].n
                        else None
                        for each in rates
                    },
                    "of": {each: found.n for each, found in told.items()},
                    "ratio_to_others": {each: found.ratio for each, found in told.items()},
                    "too_small": told["selection_rate"].too_small,
                }
            )
        return {
            "grouping": list(self.grouping.by),
            "groups": groups,
            "overall": {each: number(self.points[each].overall) for each in self.points},
            "difference": self._gap("difference"),
            "ratio": self._gap("ratio"),
            "metrics": {
                each.measure.name: {
                    "verdict": each.found.outcome,
                    "sentence": each.sentence,
                    "p": each.found.p,
                    "ratio": each.found.ratio,
                    "difference": each.found.difference,
                    "named": [one.group for one in each.found.groups if one.named],
                    "needed": each.found.needed,
                    "needed_group": each.found.needed_group,
                }
                for each in self.compared
            },
        }

    def _gap(self, kind: str) -> dict[str, float | None]:
        gaps = {name: number(getattr(each, kind)) for name, each in self.points.items() if name in RATES}
        if "tpr" in self.points:
            gaps["equalized_odds"] = number(
                fairness_metrics(self.points)[f"equalized_odds_{kind}|between_groups|worst_case"]
            )
        return gaps


def _grouping(
    grouping: Grouping,
    measures: Sequence[Measure],
    label: Answer | None,
    prediction: Answer,
    *,
    terms: Terms,
    strata: NDArray[np.integer] | None,
) -> Audited:
    known = (grouping.codes >= 0) & (prediction.values >= 0)
    truth = np.zeros_like(prediction.values) if label is None else label.values
    height = len(grouping.names)
    key = grouping.codes[known].astype(np.int64) * 4 + truth[known] * 2 + prediction.values[known]
    points = classified(grouping.names, np.bincount(key, minlength=height * 4).reshape(height, 2, 2))
    return Audited(
        grouping=grouping,
        points=points if label else {"selection_rate": points["selection_rate"]},
        compared=tuple(compare(grouping, measure, terms, strata=strata) for measure in measures),
    )


def _coverage(groups: Grouping) -> dict[str, int]:
    known = int((groups.codes >= 0).sum())
    return {"known": known, "unknown": len(groups.codes) - known}


def _label(table: pa.Table, asked: Asked) -> Answer | None:
    if asked.label is None:
        return None
    numbers = pa.types.is_integer(table[asked.label].type) or pa.types.is_floating(table[asked.label].type)
    same = numbers == (asked.positive or "").replace(".", "").isdigit()
    return answer(asked.label, table[asked.label], positive=asked.positive if same else None)


def _calibration(label: Answer | None, prediction: Answer) -> tuple[Measure, ...]:
    """Return the truth at equal predicted chance: calibration by group, over tenths of the predictions."""
    if label is None or prediction.chances is None:
        return ()
    edges = np.unique(np.nanquantile(prediction.chances, np.arange(1, DECILES) / DECILES))
    strata = np.where(np.isnan(prediction.chances), -1, np.searchsorted(edges, np.nan_to_num(prediction.chances)))
    words = "outcome at equal prediction (calibration)"
    return (Measure(name="calibration", words=words, outcomes=label.values, strata=strata),)
