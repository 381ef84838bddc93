"""Fairness as its page reads it: what may be compared, the plans, and an audit's comparisons put in order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboard.queries.rules import vocabulary
from storage import fairness_plans, sensitive
from storage.database import Read
from storage.fairness_plans import StoredPlan
from storage.records.fairness import SENSITIVE
from storage.records.findings import Audit
from storage.sensitive import Coverage

PROVIDER = "item.provider"
MOST_LINES = 6
"""So many groups are drawn over time: those that a disparity names first, then the largest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What an audit may be asked to look at."""

    attributes: tuple[str, ...]
    campaigns: tuple[str, ...]


def choices(read: Read, *, with_sensitive: bool) -> Choices:
    """Return declared names of the context, sensitive attributes for those who may see them, and providers."""
    words = vocabulary(read)
    kept = [SENSITIVE + one.attribute for one in sensitive.coverage(read)] if with_sensitive else []
    named = [name for name, kind in words.asked.items() if kind in {"string", "boolean"} and "." not in name]
    return Choices(attributes=(*kept, *named, PROVIDER), campaigns=words.campaigns)


def plans(read: Read) -> tuple[StoredPlan, ...]:
    """Return the audits that run by the clock."""
    return tuple(fairness_plans.listed(read))


def kept_apart(read: Read) -> tuple[Coverage, ...]:
    """Return the sensitive attributes with their counts."""
    return tuple(sensitive.coverage(read))


def measures(result: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the measures of an audit, in its order."""
    parts = [*result.get("attributes", ()), *result.get("intersections", ())]
    return tuple(dict.fromkeys(metric["metric"] for part in parts for metric in part["metrics"]))


def measured(part: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    """Return one measure of an attribute or intersection."""
    return next((metric for metric in part["metrics"] if metric["metric"] == name), None)


def matrix(
    part: Mapping[str, Any], metric: Mapping[str, Any]
) -> tuple[list[str], list[str], dict[tuple[str, str], Any]]:
    """Return an intersection as rows, columns and the group of each cell that has one."""
    found = {tuple(level): group for level, group in zip(part["levels"], metric["groups"], strict=True)}
    rows = list(dict.fromkeys(row for row, _ in found))
    columns = list(dict.fromkeys(column for _, column in found))
    return rows, columns, {(str(row), str(column)): group for (row, column), group in found.items()}


def worst_cell(groups: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the group with the lowest ratio among those that are large enough.

    >>> worst_cell([{"ratio": 0.5, "too_small": True}, {"ratio": 0.9, "too_small": False}])["ratio"]
    0.9
    """
    held = [group for group in groups if not group["too_small"] and group["ratio"] is not None]
    return min(held, key=lambda group: float(group["ratio"]), default=None)


def over_time(metric: Mapping[str, Any]) -> dict[str, list[tuple[int, float | None]]]:
    """Return the ratio to everyone else of the largest groups, period by period; None where it was too small."""
    most = sorted(metric["groups"], key=lambda group: (not group["named"], -int(group["n"])))[:MOST_LINES]
    drawn = {group["group"] for group in most}
    found: dict[str, list[tuple[int, float | None]]] = {}
    for period in metric.get("trend") or ():
        for group in period["groups"]:
            if group["group"] not in drawn:
                continue
            found.setdefault(group["group"], []).append((period["start"], group["ratio"]))
    return {name: points for name, points in found.items() if any(value is not None for _, value in points)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one run said of one measure of an attribute."""

    at: int
    verdict: str
    groups: tuple[Mapping[str, Any], ...]


def runs(found: Sequence[Audit], chosen: Audit, *, attribute: str, measure: str) -> tuple[Run, ...]:
    """Return what the runs of the chosen one's plan said of a measure, oldest first; a run without a plan stands for
    itself."""
    plan = chosen.population.get("plan")
    alike = [one for one in found if plan and one.population.get("plan") == plan] or [chosen]
    told = []
    for one in sorted(alike, key=lambda one: one.at):
        for part in one.result.get("attributes", ()):
            metric = measured(part, measure) if part["attribute"] == attribute else None
            if metric is not None:
                told.append(Run(at=one.at, verdict=metric["verdict"], groups=tuple(metric["groups"])))
    return tuple(told)


def between(held: Sequence[Run]) -> dict[str, list[tuple[int, float | None]]]:
    """Return each group's ratio to everyone else, run by run: of the groups that were largest last; None where one was
    too small."""
    most = sorted(held[-1].groups, key=lambda group: -int(group["n"]))[:MOST_LINES] if held else []
    found: dict[str, list[tuple[int, float | None]]] = {group["group"]: [] for group in most}
    for run in held:
        for group in run.groups:
            if group["group"] in found:
                found[group["group"]].append((run.at, None if group["too_small"] else group["ratio"]))
    return {name: points for name, points in found.items() if any(value is not None for _, value in points)}
