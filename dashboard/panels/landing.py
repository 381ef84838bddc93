"""Pieces of the landing page."""

from collections.abc import Mapping, Sequence

import streamlit as st

from dashboard.cached import current, read
from dashboard.context import Context
from dashboard.panels import over_time
from dashboard.queries import overview
from dashboard.queries.rates import rate
from dashboard.text import count, interval, percent, safe, stamp
from dashboard.widgets import empty, note, simulated, trend

FEWEST = 3
"""Fewer points are told in words."""


def cards(context: Context) -> None:
    """Draw the figures on top: impressions and rate, decisions, what served them, replicas."""
    found = read(context, overview.campaign_lines, span=context.span)
    shown, clicks = sum(line.clicks.n for line in found), sum(line.clicks.hits for line in found)
    real = rate(clicks, shown)
    history = read(context, overview.over_time, span=context.span)
    alive = current(context, overview.liveness)
    one, two, three, four, five = st.columns(5)
    one.metric(
        "Real impressions",
        count(shown),
        delta=f"{count(clicks)} clicks",
        delta_color="off",
        delta_arrow="off",
        help="Reported impressions, imported or live; simulated ones are not counted here.",
    )
    trend(one, context, line(history, "imported", "live"), what="Impressions")
    two.metric(
        "Real click rate",
        percent(real.value),
        delta=f"95 % {interval(real.low, real.high)} %, n {count(shown)}" if shown else "no impression",
        delta_color="off",
        delta_arrow="off",
        help="Clicks per impression of real rows, Wilson's 95 % interval.",
    )
    ours = sum(line.scorer_share.n for line in found)
    scored = rate(sum(line.scorer_share.hits for line in found), ours)
    three.metric(
        "Our decisions",
        count(ours),
        delta=f"policy's scorer served {percent(scored.value)}" if ours else "none yet",
        delta_color="off",
        delta_arrow="off",
        help="Decisions of this installation's engines in the range, imported ones left out; and how many the "
        "policy's own scorer served (a model or a list of popular items), not a fallback, a rule or the default.",
    )
    trend(three, context, line(history, "simulated", "live"), what="Impressions of our decisions")
    hits = rate(sum(line.hits.hits for line in found), sum(line.hits.n for line in found))
    four.metric(
        "Hit rate",
        percent(hits.value),
        delta=f"95 % {interval(hits.low, hits.high)} %, n {count(hits.n)}" if hits.n else "no decision shown",
        delta_color="off",
        delta_arrow="off",
        help="Decisions with a joined click among decisions with an impression, closed windows, real rows only.",
    )
    five.metric(
        "Replicas",
        f"{alive.live} of {alive.n}",
        delta=alive.sentence,
        delta_color="off",
        delta_arrow="off",
        help="Engines heard of within 10 s that are ready and decide with the newest revision.",
    )
    if ours and history.get("simulated"):
        simulated(("simulated",))


def line(history: Mapping[str, Sequence[tuple[int, int, int]]], *origins: str) -> tuple[tuple[int, float], ...]:
    """Return the impressions over time of the first origin that has enough points for a line."""
    held = ([(at, float(n)) for at, n, _ in history.get(name, ())] for name in origins)
    return next((tuple(points) for points in held if len(points) >= FEWEST), ())


def history(context: Context) -> None:
    """Draw impressions over time, each origin over its own time."""
    sums = read(context, overview.over_time, span=context.span)
    if not sums:
        empty("No impression in this range.", "Choose a longer one.")
        return
    for origin, held in sums.items():
        if len(held) < FEWEST:
            shown = sum(n for _, n, _ in held)
            note(f"{safe(origin)}: {count(shown)} impressions since {stamp(held[0][0], seconds=False)} UTC")
            continue
        series = {origin: tuple((at, float(n)) for at, n, _ in held)}
        note(f"{safe(origin)}: {stamp(held[0][0], seconds=False)} to {stamp(held[-1][0], seconds=False)} UTC")
        over_time.draw(context, series, key=f"impressions-{origin}", what="Impressions", unit="impressions", height=180)
    simulated(tuple(sums))
