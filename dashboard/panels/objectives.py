"""Panels of objectives: a card each with its budget, how fast it burns, until when it lasts; one burned down."""

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.cached import read
from dashboard.context import Context
from dashboard.panels import over_time
from dashboard.queries import alerts as queries
from dashboard.queries.alerts import Budgeted
from dashboard.queries.divided import Part, divided
from dashboard.text import count, digits, interval, lasting, percent, plain, safe
from dashboard.widgets import empty, note, table, trend, verdict
from storage.records.clock import DAY

ACROSS = 4
MOST = 12
SPANS = {3_600: "1 h", 21_600: "6 h", 259_200: "3 d"}


def _left(one: Budgeted) -> str:
    left = one.standing.budget.left
    if left is None:
        return "no data"
    return f"{'−' if left < 0 else ''}{digits(abs(100 * left), 3)} %" + (" (over)" if left < 0 else "")


def _burns(one: Budgeted) -> str:
    parts = []
    for burn in one.standing.burns:
        name = SPANS.get(burn.window.long_s, lasting(burn.window.long_s * 1e6))
        rate = "–" if burn.long_rate is None else f"{digits(burn.long_rate, 2)}×"
        parts.append(f"{name} {':red[' + rate + ']' if burn.fires else rate}")
    few = any(burn.by == "count" and burn.long.valid for burn in one.standing.burns)
    return " · ".join(parts) + (", few" if few else "")


def _lasts(one: Budgeted) -> str:
    budget = one.standing.budget
    if budget.left is None:
        return "nothing was counted yet"
    if budget.exhausted_in_us is None:
        return "not burning"
    return "spent" if budget.exhausted_in_us == 0 else f"lasts {lasting(budget.exhausted_in_us)} at this hour's rate"


def _word(one: Budgeted) -> str:
    budget = one.standing.budget
    if any(burn.fires for burn in one.standing.burns):
        return "fail"
    return "unknown" if budget.left is None else "warn" if budget.left <= 0.0 else "pass"


def cards(context: Context, found: Sequence[Budgeted]) -> None:
    """Draw a card per objective, those that burn first."""
    if not any(one.standing.budget.counted.valid for one in found):
        empty("Nothing was counted for any objective yet.", "`fairlead doctor` says whether engines are scraped.")
        return
    for first in range(0, len(found), ACROSS):
        for column, one in zip(st.columns(ACROSS), found[first : first + ACROSS], strict=False):
            box = column.container(border=True, height="stretch")
            with box:
                _card(box, context, one)


def _card(box: DeltaGenerator, context: Context, one: Budgeted) -> None:
    slo, budget = one.standing.slo, one.standing.budget
    st.metric(
        safe(slo.title or slo.key),
        _left(one),
        delta=_lasts(one),
        delta_color="off",
        delta_arrow="off",
        help=f"What is left of the error budget of {slo.period_days} days; below zero it is overspent. Good: "
        f"{one.tells}. The line is the share of good ones. Source: minutes of the indicator {slo.indicator}.",
    )
    trend(box, context, one.shares, what="Share of good ones", told=percent)
    verdict(_word(one))
    now = "–" if budget.current is None else percent(budget.current, 4)
    note(f"now {now} of {count(budget.counted.valid)}, target {percent(slo.objective, 4)}")
    note(
        f"burns {_burns(one)}",
        help="Burn rate: the share of bad ones over what the budget bears; 1× spends it exactly in its period. An "
        "alert fires at 14.4× over 1 h and 5 min, 6× over 6 h and 30 min, 1× over 3 d and 6 h. *few*: fewer than 1,000 "
        "in a window, counts alert instead of rates.",
    )
    if one.observed_days < slo.period_days - 1:
        note(f"observed for {lasting(one.observed_days * DAY)} of {slo.period_days} d")


def burn_down(context: Context, found: Sequence[Budgeted]) -> None:
    """Draw how one budget was spent over the range, with what happened, and how many counted."""
    by_key = {one.standing.slo.key: one.standing.slo for one in found}
    key = st.selectbox(
        "Objective",
        list(by_key),
        format_func=lambda name: by_key[name].title or name,
        key="slo",
        bind="query-params",
        width=280,
        help="Whose budget is drawn.",
    )
    slo = by_key.get(key or "")
    if slo is None:
        empty("No objective is on.", "`fairlead alert slos` lists them.")
        return
    span = context.span
    points, counts = read(
        context,
        queries.burned_down,
        indicator=slo.indicator,
        objective=slo.objective,
        start=span.start,
        end=span.end,
    )
    if not any(counts):
        empty("Nothing was counted for it in this range.", "Choose a longer range.")
        return
    left = {"budget left": tuple((at, None if value is None else 100 * value) for at, value in points)}
    over_time.draw(
        context, left, key="burn-down", what="Budget left", unit="% of the range's budget", limit=(0.0, "spent")
    )
    counted = {"counted": tuple((at, float(n)) for (at, _), n in zip(points, counts, strict=True))}
    over_time.draw(context, counted, key="burn-counts", what="Counted", unit="counted a step", height=180)
    note("Few counted in a step explain a jump. Marks coincide; they are not said to be the cause.")
    _by_dimension(read(context, divided, indicator=slo.indicator, start=span.start, end=span.end), slo.objective)


def _by_dimension(parts: Sequence[Part], objective: float) -> None:
    st.markdown(
        "**By dimension**",
        help="The indicator of the range by each thing that it can be divided by, most bad ones first, with 95 % "
        "intervals (Wilson). Source: the metric that the indicator is read from.",
    )
    if not parts:
        note("The range holds no windows that could be divided.")
        return
    table(
        [
            {
                "by": part.dimension,
                "value": plain(part.value or "none", 80),
                "bad": part.bad,
                "of": part.good.n,
                "good": f"{percent(part.good.value, 4)} ({interval(part.good.low, part.good.high)})",
                "": "below the target" if part.good.high < objective else "",
            }
            for part in parts[:MOST]
        ],
        key="slo-parts",
        alt="The indicator by dimension: bad ones, how many, share of good ones with its interval",
    )
