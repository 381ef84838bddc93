"""Panels of the Grafana dashboard: what each asks Prometheus, made from a family's kind, labels and unit."""

from collections.abc import Sequence
from typing import Any

from fairlead.monitoring.objectives import OBJECTIVES, span
from fairlead.monitoring.registry import unit
from storage.records.metrics import Family

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
WHERE = 'environment=~"$environment"'
MINE = f'{WHERE},instance=~"$replica"'
GRAFANA_UNITS = {"s": "s", "B": "bytes", "0–1": "percentunit"}
WIDTH, HEIGHT = 12, 8

Target = tuple[str, str]
"""An expression and its legend."""


def panel(
    title: str, description: str, targets: Sequence[Target], *, unit: str, kind: str = "timeseries"
) -> dict[str, Any]:
    """Return a panel without its place."""
    return {
        "type": kind,
        "title": title,
        "description": description,
        "datasource": SOURCE,
        "fieldConfig": {"defaults": {"unit": unit, "custom": {"spanNulls": False}}, "overrides": []},
        "options": _options(kind),
        "targets": [
            {
                "refId": chr(ord("A") + number),
                "datasource": SOURCE,
                "expr": expression,
                "legendFormat": legend,
                "format": "heatmap" if kind == "heatmap" else "time_series",
            }
            for number, (expression, legend) in enumerate(targets)
        ],
    }


def _options(kind: str) -> dict[str, Any]:
    if kind == "heatmap":
        return {"calculate": False, "yAxis": {"unit": "s"}, "color": {"mode": "scheme", "scheme": "Cividis"}}
    if kind == "stat":
        return {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "none", "graphMode": "area"}
    return {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}}


def _legend(labels: Sequence[str]) -> str:
    return " · ".join(f"{{{{{label}}}}}" for label in (*labels, "instance"))


def describe(family: Family) -> str:
    """Return what a panel says of its family: its text, kind, unit, labels and name."""
    measured = f", unit {unit(family)}" if unit(family) else ""
    carried = f" Labels: {', '.join(family.labels)}." if family.labels else ""
    return f"{family.text} A {family.kind}{measured}.{carried} Source: {family.name}."


def of_family(family: Family) -> dict[str, Any]:
    """Return the panel of one family, drawn as its kind wants it."""
    title, told = family.name.removeprefix("fairlead_").replace("_", " "), describe(family)
    shown = GRAFANA_UNITS.get(unit(family), "short")
    by = ", ".join((*family.labels, "instance"))
    if family.kind == "counter":
        expression = f"sum by ({by}) (rate({family.name}{{{MINE}}}[$__rate_interval]))"
        return panel(title, f"{told} Shown a second.", [(expression, _legend(family.labels))], unit="cps")
    if family.kind == "histogram":
        by = ", ".join(("le", *family.labels))
        targets = [
            (
                f"histogram_quantile(0.{q}, sum by ({by}) (rate({family.name}_bucket{{{MINE}}}[$__rate_interval])))",
                " · ".join((f"p{q}", *(f"{{{{{label}}}}}" for label in family.labels))),
            )
            for q in (50, 95, 99)
        ]
        return panel(title, f"{told} Replicas are merged by adding their buckets.", targets, unit=shown)
    if family.name.endswith("_timestamp_seconds"):
        expression = f"time() - {family.name}{{{MINE}}}"
        return panel(title, f"{told} Shown as its age.", [(expression, _legend(family.labels))], unit="s")
    return panel(title, told, [(f"{family.name}{{{MINE}}}", _legend(family.labels))], unit=shown)


def first_row() -> list[dict[str, Any]]:
    """Return what one looks at first: rate, errors, duration, and what served."""
    requests, seconds = "fairlead_decision_requests_total", "fairlead_decision_duration_seconds"
    rate = f"rate({requests}{{{MINE}}}[$__rate_interval])"
    failed = f'rate({requests}{{outcome!="error",{MINE}}}[$__rate_interval])'
    buckets = f"sum by (le) (rate({seconds}_bucket{{{MINE}}}[$__rate_interval]))"
    quantiles = [(f"histogram_quantile(0.{q}, {buckets})", f"p{q}") for q in (50, 95, 99)]
    return [
        panel("Decisions", f"Decisions a second. Source: {requests}.", [(f"sum({rate})", "decisions")], unit="reqps"),
        panel(
            "Decisions that failed",
            f"Share of decisions that ended with an error of ours. Source: {requests}.",
            [(f"clamp_min(1 - sum({failed}) / sum({rate}), 0)", "failed")],
            unit="percentunit",
        ),
        panel("Latency", f"Request to answer, by quantile. Source: {seconds}.", quantiles, unit="s"),
        panel("Latency by time", f"Decisions by how long they took. Source: {seconds}.", [(buckets, "{{le}}")],
              unit="short", kind="heatmap"),
        panel("Decisions by what served them", f"Decisions a second by outcome. Source: {requests}.",
              [(f"sum by (outcome) ({rate})", "{{outcome}}")], unit="reqps"),
        panel("Revision in force", "Replicas that differ decide differently. Source: fairlead_revision.",
              [(f"fairlead_revision{{{MINE}}}", "{{instance}}")], unit="none"),
    ]  # fmt: skip


def objectives() -> list[dict[str, Any]]:
    """Return how much of each error budget was used: 1 is the rate that just lasts the period."""
    return [
        panel(
            f"{objective.title}: burn",
            f"How many times too fast the budget of {objective.budget:.1%} burns, over an hour, six hours and three "
            "days; 1 lasts just the 30 days. Needs the rules of `fairlead metrics rules`.",
            [
                (f'slo:fairlead_bad:ratio{window}{{slo="{objective.key}",{WHERE}}} / {objective.budget:g}', window)
                for window in (span(each.long_s) for each in objective.windows)
            ],
            unit="none",
        )
        for objective in OBJECTIVES
    ]
