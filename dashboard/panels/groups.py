"""Groups of one metric of a fairness audit: value and ratio, each with interval and count."""

from collections.abc import Mapping, Sequence
from typing import Any

from dashboard.context import Context
from dashboard.figures.bars import Estimate, estimates
from dashboard.text import count, safe
from dashboard.widgets import chart, empty, note

FOUR_FIFTHS = 0.8


def plotted(groups: Sequence[Mapping[str, Any]], value: str, low: str, high: str) -> tuple[Estimate, ...]:
    """Return the groups that have an estimate; those below the minimum have none."""
    return tuple(
        Estimate(name=str(one["group"]), value=one[value], low=one[low], high=one[high], n=int(one["n"]))
        for one in groups
        if not one.get("too_small") and all(isinstance(one.get(name), int | float) for name in (value, low, high))
    )


def draw(context: Context, metric: Mapping[str, Any], *, title: str, share: bool, key: str) -> None:
    """Draw both charts of a metric and name the groups that are too small."""
    groups = metric["groups"]
    values = plotted(groups, "value", "low", "high")
    ratios = plotted(groups, "ratio", "ratio_low", "ratio_high")
    if not values:
        empty("No group is large enough to be shown.", f"About {count(metric.get('needed'))} more are needed.")
        return
    overall = float(metric.get("overall") or 0.0)
    chart(
        estimates(values, context.look, title=title, reference=(overall, "all together"), share=share),
        key=f"values-{key}",
        alt=f"Value by group: {', '.join(f'{one.name} {one.value:.4g}, n {one.n}' for one in values)}",
        rows=lambda: [dict(one) for one in groups],
    )
    if ratios:
        chart(
            estimates(
                ratios,
                context.look,
                title="ratio to everyone else",
                reference=(1.0, "equal"),
                share=False,
                screen=FOUR_FIFTHS,
            ),
            key=f"ratios-{key}",
            alt=f"Ratio to everyone else: {', '.join(f'{one.name} {one.value:.3g}' for one in ratios)}",
            rows=lambda: [dict(one) for one in groups],
        )
    small = [one for one in groups if one["group"] not in {held.name for held in values}]
    if small:
        listed = ", ".join(f"{safe(one['group'])} (n {count(one['n'])})" for one in small)
        note(f"Too small to plot: {listed}")
    if isinstance(metric.get("p"), float):
        note(f"p = {metric['p']:.3g}, calibrated by what equal groups of these sizes give")
