"""Who comes back, by the week in which they were first seen."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard.context import Context
from dashboard.text import count, interval, percent, stamp
from dashboard.widgets import empty, note, simulated, table

Cohort = Mapping[str, Any]
ROWS = ("live", "imported", "simulated")


def cohorts(context: Context, found: Sequence[Cohort]) -> None:
    """Draw the cohorts of one kind of rows as a triangle of shares, each with its interval."""
    kinds = [kind for kind in ROWS if any(one["rows"] == kind for one in found)]
    if not kinds:
        empty("Nobody is known by name yet.", "People are counted here once events or decisions name them.")
        return
    chosen = kinds[0]
    if len(kinds) > 1:
        chosen = (
            st.segmented_control(
                "Rows", kinds, default=kinds[0], key="cohort_rows", bind="query-params",
                help="Simulated people stand apart from real ones.",
            )
            or kinds[0]
        )  # fmt: skip
    held = [one for one in found if one["rows"] == chosen]
    weeks = max(one["weeks"] for one in held)
    starts = sorted({one["cohort"] for one in held}, reverse=True)
    rows = []
    for start in starts:
        mine = {one["weeks"]: one for one in held if one["cohort"] == start}
        rows.append(
            {
                "first seen in the week of": stamp(start, seconds=False)[:10],
                "people": count(mine[0]["people"]) if mine[0]["people"] is not None else "< 50",
                **{f"week {week}": _share(mine.get(week)) for week in range(1, weeks + 1)},
            }
        )
    table(rows, key="cohorts-table", alt="Share of each weekly cohort that came back, by week, with 95 % intervals")
    if chosen == "simulated":
        simulated(("simulated",))
    if not weeks:
        note("All were first seen this week; who comes back shows next week.")
    elif context.span.live:
        note("The last week of each row is still open.")


def _share(one: Cohort | None) -> str:
    if one is None:
        return ""
    if one["rate"] is None:
        return "masked"
    return f"{percent(one['rate'])} ({interval(one['low'], one['high'])})"
