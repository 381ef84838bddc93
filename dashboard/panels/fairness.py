"""The parts of a fairness audit: all comparisons, coverage, intersections, time, control feature, providers."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from dashboard.context import Context
from dashboard.figures.crossed import crossed
from dashboard.figures.lines import Points, alt, lines
from dashboard.figures.marked import Gaps
from dashboard.panels import groups
from dashboard.panels.over_time import drawn, happened
from dashboard.queries import fairness as queries
from dashboard.queries.marks import Mark
from dashboard.text import count, percent, safe, stamp
from dashboard.widgets import VERDICTS, chart, empty, note, said, table
from storage.records.clock import SECOND

TO_OTHERS = "ratio to everyone else"
LEAST_RUNS = 2
"""With fewer runs there is nothing to compare."""

MEASURES = {
    "exposure": ("Exposure", "Mean of 1 / log2(1 + position) of what a group was shown: how prominent, not how often."),
    "click_rate": ("Click rate", "Clicks per impression of a group, with the interval computed from its counts."),
    "benefit": ("Benefit", "Impressions that reached the campaign's goal: what being shown something was worth."),
    "selection_rate": ("Selection rate", "Impressions that the model chose; the rest came from a fallback or a rule."),
    "tpr": ("True positive rate", "Of the items that a group clicked, the share that stood first: was it understood?"),
    "calibration": ("Calibration", "Clicks at equal score: whether the same score means the same for every group."),
}


def title(measure: str) -> str:
    """Return a measure's name for people."""
    return MEASURES.get(measure, (safe(measure.replace("_", " ").capitalize()), ""))[0]


def meaning(measure: str) -> str:
    """Return what a measure is."""
    return MEASURES.get(measure, ("", "As the audit computed it, by group, with interval and count."))[1]


def overview(result: Mapping[str, Any]) -> None:
    """Draw every comparison in one table: a verdict in words and the lowest group's share of the highest."""
    names = queries.measures(result)
    rows = []
    for part in (*result.get("attributes", ()), *result.get("intersections", ())):
        whole = int(part.get("known") or 0) + int(part.get("unknown") or 0)
        row = {"by": part["attribute"], "group known": percent(int(part["known"]) / whole) if whole else "unknown"}
        for name in names:
            metric = queries.measured(part, name)
            row[title(name).lower()] = "" if metric is None else _word(metric)
        rows.append(row)
    table(rows, key="comparisons", alt="Every comparison of this audit with its verdict")
    left = result.get("left_out") or {}
    if left:
        note("Not measured: " + "; ".join(f"{title(name).lower()} ({safe(why)})" for name, why in left.items()))


def _word(metric: Mapping[str, Any]) -> str:
    words = VERDICTS.get(metric["verdict"], VERDICTS["unknown"])[1]
    ratio = metric.get("ratio")
    return words if ratio is None else f"{words} · {ratio:.2f}"


def by_group(context: Context, result: Mapping[str, Any], part: Mapping[str, Any], measure: str) -> None:
    """Draw one measure by group, and within each level of the control feature."""
    metric = queries.measured(part, measure)
    if metric is None:
        return
    said(metric["verdict"], safe(metric["sentence"], limit=500))
    key = f"{part['attribute']}-{measure}"
    groups.draw(context, metric, title=title(measure).lower(), share=measure != "exposure", key=key)
    at_equal(result, part, measure)


def intersections(context: Context, parts: Sequence[Mapping[str, Any]], measure: str) -> None:
    """Draw one intersection as a matrix, and name the worst cell that is large enough."""
    told = {part["attribute"]: part for part in parts if queries.measured(part, measure) is not None}
    if not told:
        empty("This audit compared no intersections.", "Name two attributes or more when you run the next one.")
        return
    name = st.selectbox("Intersection", list(told), key="fairness-pair", width=320, help="Two attributes at once.")
    part = told[name or next(iter(told))]
    metric = queries.measured(part, measure)
    if metric is None:
        return
    said(metric["verdict"], safe(metric["sentence"], limit=500))
    rows, columns, cells = queries.matrix(part, metric)
    chart(
        crossed(rows, columns, cells, context.look),
        key="intersections",
        alt=f"Ratio to everyone else by {part['attribute']}",
        rows=lambda: [dict(group) for group in metric["groups"]],
    )
    worst = queries.worst_cell(metric["groups"])
    if worst is not None:
        note(
            f"Worst supported cell: {safe(worst['group'], limit=60)}, {worst['ratio']:.2f} × everyone else "
            f"({worst['ratio_low']:.2f} to {worst['ratio_high']:.2f}), n {count(worst['n'])}. Grey cells are too small."
        )


def _ratios(
    context: Context, series: Mapping[str, Points], *, marks: Sequence[Mark] = (), gaps: Gaps = ()
) -> go.Figure:
    limit = groups.FOUR_FIFTHS, "four-fifths line, reference only"
    return lines(series, context.look, zone="UTC", unit=TO_OTHERS, limit=limit, marks=marks, gaps=gaps)


def over_time(context: Context, result: Mapping[str, Any], part: Mapping[str, Any], measure: str) -> None:
    """Draw each group's ratio to everyone else over time, with the policy versions that served."""
    metric = queries.measured(part, measure)
    series = queries.over_time(metric) if metric else {}
    if not series:
        empty("No period has two groups that are large enough.", "More days, or a smaller least group, may show it.")
        return
    flips = result.get("flips") or ()
    first, last = drawn(series, context.span)
    own = [Mark(at=flip["first"], text=f"{flip['version']} serves", page="policies") for flip in flips[1:]]
    beside = happened(context, start=first, end=last)
    served = beside.marks or own
    chart(
        _ratios(context, series, marks=served, gaps=beside.gaps),
        key=f"trend-{part['attribute']}",
        alt=alt(series, TO_OTHERS, ""),
        rows=lambda: [
            {"start": period["start"], **group}
            for period in (metric or {}).get("trend", ())
            for group in period["groups"]
        ],
        marks=served,
    )
    more = len((metric or {}).get("groups", ())) - len(series)
    note(
        f"One point is one {safe(result.get('period', 'period'))}; a gap means that a group was too small."
        + (f" The {len(series)} largest groups are drawn; the numbers hold all." if more > 0 else "")
    )


def over_runs(context: Context, held: Sequence[queries.Run], attribute: str) -> None:
    """Draw each group's ratio to everyone else from run to run, with what changed in between, and each run's words."""
    series = queries.between(held)
    if len(held) < LEAST_RUNS or not series:
        empty(
            "No earlier run of this plan looked at the same.", "Plan the audit by the clock below: each run is a point."
        )
        return
    beside = happened(context, start=held[0].at, end=held[-1].at + SECOND)
    chart(
        _ratios(context, series, marks=beside.marks),
        key=f"runs-{attribute}",
        alt=alt(series, TO_OTHERS, ""),
        rows=lambda: [
            {
                "run at (UTC)": stamp(run.at),
                "verdict": VERDICTS[run.verdict][1],
                "group": group["group"],
                "ratio": group["ratio"],
                "low": group["ratio_low"],
                "high": group["ratio_high"],
                "n": group["n"],
            }
            for run in held
            for group in run.groups
        ],
    )
    turns = [one for before, one in pairwise(held) if before.verdict != one.verdict]
    words = "; ".join(f"{stamp(one.at, seconds=False)} {VERDICTS[one.verdict][1]}" for one in (held[0], *turns))
    note(
        f"Verdict since {safe(words, limit=400)}. Runs may look at the same days; what coincides is not said to cause."
    )


def _value(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4g}"


def at_equal(result: Mapping[str, Any], part: Mapping[str, Any], measure: str) -> None:
    """Draw the groups within each level of the control feature."""
    metric = queries.measured(part, measure)
    levels = (metric or {}).get("by_control") or ()
    if not levels:
        return
    control = safe(result.get("control"))
    note(f"Compared at equal {control}: only impressions with the same {control} stand against each other.")
    table(
        [
            {
                str(result.get("control")): level["level"],
                "n": count(level["n"]),
                **{group["group"]: _value(group["value"]) for group in level["groups"]},
                "lowest ÷ highest": "" if level["ratio"] is None else f"{level['ratio']:.2f}",
            }
            for level in levels
        ],
        key=f"control-{part['attribute']}",
        alt="Values by level of the control feature",
    )


def providers(result: Mapping[str, Any]) -> None:
    """Draw what each provider has on the shelf, what of the attention it gets, and what of the clicks."""
    for shelf in result.get("providers") or ():
        table(
            [
                {
                    "whose": group["group"],
                    "items": count(group["items"]),
                    "of the catalogue": percent(group["catalogue_share"]),
                    "of the exposure": percent(group["exposure_share"]),
                    "of the clicks": percent(group["click_share"]),
                    "exposure ÷ clicks": "unknown"
                    if group["exposure_to_merit"] is None
                    else f"{group['exposure_to_merit']:.2f}",
                }
                for group in shelf["groups"]
            ],
            key=f"shelf-{shelf['attribute']}",
            alt="Share of exposure by provider",
        )
        note("Exposure ÷ clicks is 1 where attention goes as clicks do; above, a provider is shown more than it earns.")
        if shelf["unseen"]:
            note(f"{count(shelf['unseen'])} providers have items and were never shown.")
