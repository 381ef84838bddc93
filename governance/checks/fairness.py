"""The fairness audit: exposure and click rate by group of people, over the impressions of the lake."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from governance.checks.artifacts import keep
from governance.checks.disparity import MIN_GROUP, SCREEN, Disparity, disparity
from scoring_core.learning.outcomes import SHOWN, parameters
from storage import findings
from storage.database import Database
from storage.errors import Invalid
from storage.lake import Lake
from storage.records.document import canonical, document, parse
from storage.records.findings import Audit, Verdict

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

VERDICTS: Mapping[str, Verdict] = {"shown": "fail", "not_shown": "pass", "inconclusive": "unknown"}
NO_ATTRIBUTE = "No sensitive attribute available: fairness cannot be assessed."


@document
class FairnessArguments:
    """What an audit looks at: ``attributes`` are names of the context, ``start`` and ``end`` microseconds UTC."""

    campaign: str | None = None
    policy: str | None = None
    start: int | None = None
    end: int | None = None
    attributes: tuple[str, ...] = ("user_feature_0", "user_feature_1")
    origins: tuple[str, ...] = ("imported",)
    outcome: str = "click"
    min_group: int = Field(default=MIN_GROUP, ge=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """What is compared: each outcome of a row and what it is worth."""

    name: str
    words: str
    values: Floats
    counts: Whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """The rows of one attribute, counted by group, position and click; ``unknown`` rows do not say their group."""

    attribute: str
    names: tuple[str, ...] = ()
    metrics: tuple[Metric, ...] = ()
    known: int = 0
    unknown: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """Fairlearn's answers."""

    by_group: Mapping[str, float] = field(default_factory=dict)
    overall: float = float("nan")
    ratio: float = float("nan")
    difference: float = float("nan")


def points(names: Sequence[str], counts: Whole | Floats, values: Floats) -> Points:
    """Return Fairlearn's ``MetricFrame`` of the mean of ``values``, from counts (rows × outcomes) as sample weights."""
    os.environ["DO_NOT_TRACK"] = "1"
    from fairlearn.metrics import MetricFrame, mean_prediction

    group, outcome = np.nonzero(counts)
    worth = values[outcome]
    frame = MetricFrame(
        metrics={"mean": mean_prediction},
        y_true=worth,
        y_pred=worth,
        sensitive_features=np.asarray(names, dtype=object)[group],
        sample_params={"mean": {"sample_weight": np.asarray(counts, dtype=np.float64)[group, outcome]}},
    )
    return Points(
        by_group={str(name): float(value) for name, value in frame.by_group["mean"].items()},
        overall=float(frame.overall["mean"]),
        ratio=float(frame.ratio(method="between_groups")["mean"]),
        difference=float(frame.difference(method="between_groups")["mean"]),
    )


def run_fairness(
    database: Database, lake: Lake, *, job_id: str, arguments: Mapping[str, Any], now: int, home: Path
) -> Audit:
    """Run the audit, store it (``findings.save``) and return it; ``audit_id`` is ``fairness-{job_id}``.

    Raises
    ------
    Invalid
        If an argument is unknown or of the wrong type.
    """
    asked = parse(FairnessArguments, arguments)
    _check(asked)
    rng = np.random.Generator(np.random.PCG64(crc32(job_id.encode())))
    groups = [count_groups(database, lake, attribute=name, asked=asked, now=now) for name in asked.attributes]
    family = max(1, sum(len(each.metrics) for each in groups))
    judged = [_attribute(each, asked, rng=rng, family=family) for each in groups]
    verdict, sentence = _whole(judged)
    result = {
        "attributes": judged,
        "screen": SCREEN,
        "family": family,
        "versions": {name: version(name) for name in ("fairlead", "fairlearn")},
    }
    audit_id = f"fairness-{job_id}"
    audit = Audit(
        audit_id=audit_id,
        kind="fairness",
        job_id=job_id,
        at=now,
        verdict=verdict,
        sentence=sentence,
        population={
            **asdict(asked),
            "rows": max((each.known + each.unknown for each in groups), default=0),
            "unit": "impression",
            "note": "Impressions are counted as independent; where people are unknown nothing else can be done.",
        },
        result=result,
        artifacts=keep(home, audit_id, {"fairness.json": canonical(result)}),
    )
    with database.write() as write:
        findings.save(write, audit)
    return audit


def _check(asked: FairnessArguments) -> None:
    for name in asked.attributes:
        if not name.replace("_", "").replace("-", "").replace(".", "").isalnum():
            raise Invalid("attributes: a name may hold letters, digits, '_', '-' and '.' only")
    if asked.start is not None and asked.end is not None and asked.start >= asked.end:
        raise Invalid("end: must be after start")


_COUNTS = """
SELECT json_extract_string(context, $path) AS grp, position, clicked, count(*) AS n
FROM shown GROUP BY ALL ORDER BY ALL
"""


def count_groups(database: Database, lake: Lake, *, attribute: str, asked: FairnessArguments, now: int) -> Groups:
    """Count impressions by group, position and click."""
    bounds = {name: value for name in ("start", "end") if (value := getattr(asked, name)) is not None}
    bound = parameters(
        now=now, origins=asked.origins, campaign=asked.campaign, policy=asked.policy, outcome=asked.outcome, **bounds
    )
    with database.read() as read, lake.connect(read) as duck:
        rows = duck.execute(SHOWN + _COUNTS, {**bound, "path": f'$."{attribute}"'}).fetchall()
    unknown = sum(n for group, _, _, n in rows if group is None)
    rows = [row for row in rows if row[0] is not None]
    names = tuple(sorted({str(group) for group, _, _, _ in rows}))
    positions = sorted({int(position) for _, position, _, _ in rows})
    if not names:
        return Groups(attribute=attribute, unknown=unknown)
    shown = np.zeros((len(names), len(positions)), dtype=np.int64)
    clicked = np.zeros((len(names), 2), dtype=np.int64)
    for group, position, click, n in rows:
        place = names.index(str(group))
        shown[place, positions.index(int(position))] += n
        clicked[place, int(click)] += n
    exposure = 1.0 / np.log2(1.0 + np.array(positions, dtype=np.float64))
    return Groups(
        attribute=attribute,
        names=names,
        metrics=(
            Metric(name="exposure", words="exposure", values=exposure, counts=shown),
            Metric(name="click_rate", words="click rate", values=np.array([0.0, 1.0]), counts=clicked),
        ),
        known=int(clicked.sum()),
        unknown=unknown,
    )


def _attribute(groups: Groups, asked: FairnessArguments, *, rng: np.random.Generator, family: int) -> dict[str, Any]:
    return {
        "attribute": groups.attribute,
        "known": groups.known,
        "unknown": groups.unknown,
        "metrics": [
            _metric(metric, groups, min_group=asked.min_group, rng=rng, family=family) for metric in groups.metrics
        ],
    }


def _metric(metric: Metric, groups: Groups, *, min_group: int, rng: np.random.Generator, family: int) -> dict[str, Any]:
    found = disparity(groups.names, metric.counts, metric.values, rng=rng, min_group=min_group, family=family)
    fairlearn = points(groups.names, metric.counts, metric.values)
    return {
        "metric": metric.name,
        "overall": fairlearn.overall,
        "ratio": found.ratio,
        "difference": found.difference,
        "ratio_all_groups": None if np.isnan(fairlearn.ratio) else fairlearn.ratio,
        "groups": [{**asdict(each), "value": fairlearn.by_group[each.group]} for each in found.groups],
        "p": found.p,
        "verdict": VERDICTS[found.outcome],
        "outcome": found.outcome,
        "sentence": _sentence(metric, groups.attribute, found),
        "needed": found.needed,
        "needed_group": found.needed_group,
    }


def short(name: str) -> str:
    """Return a group's name fit for a sentence.

    >>> short("81ce123cbb5bd8ce818f60fb3586bba5")
    '81ce123c…'
    """
    return name if len(name) <= 16 else f"{name[:8]}…"


def _sentence(metric: Metric, attribute: str, found: Disparity) -> str:
    about = f"{metric.words} by {attribute}"
    large = [group for group in found.groups if not group.too_small]
    if found.outcome == "shown":
        named = [group for group in large if group.named]
        who = "; ".join(
            f"{short(group.group)} gets {group.ratio:.2f} × what everyone else gets"
            for group in named
            if group.ratio is not None
        )
        return (
            f"Disparity shown in {about}: the lowest group has {found.ratio:.2f} of the highest (p = {found.p:.3f})"
            + (f"; {who}." if who else ".")
        )
    if found.outcome == "not_shown":
        beyond = " A difference is there, but above the four-fifths line." if (found.p or 1.0) < 0.05 else ""
        return f"No disparity shown in {about}: the lowest group has {found.ratio:.2f} of the highest.{beyond}"
    if len(large) < 2:
        return f"Inconclusive for {about}: fewer than two groups are large enough to compare."
    if found.needed is None:
        return f"Inconclusive for {about}: nothing to compare yet, no group has an outcome."
    return (
        f"Inconclusive for {about}: about {found.needed:,} more impressions needed in group "
        f"{short(found.needed_group or '')} to find a true ratio of 0.7, if all groups grow alike."
    )


def _whole(judged: Sequence[Mapping[str, Any]]) -> tuple[Verdict, str]:
    """Return the audit's verdict: shown if any comparison is, not shown only if all are."""
    metrics = [metric for attribute in judged for metric in attribute["metrics"]]
    if not metrics:
        return "unknown", NO_ATTRIBUTE
    order: tuple[Verdict, ...] = ("fail", "unknown", "pass")
    worst = min((metric["verdict"] for metric in metrics), key=order.index)
    if worst == "pass" and any(not attribute["metrics"] for attribute in judged):
        worst = "unknown"
    said = [metric["sentence"] for metric in metrics if metric["verdict"] == worst]
    if worst == "pass":
        return worst, "No disparity shown."
    return worst, " ".join(said) or NO_ATTRIBUTE
