"""How often people see what a cap counts, with the cap's line, and what a stricter one would have held back."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard.context import Context
from dashboard.figures import bars
from dashboard.links import go
from dashboard.text import ago, count, percent, plain, safe, stamp
from dashboard.widgets import chart, empty, note, said, simulated, table

MOST = 12


def drawn(context: Context, views: Sequence[Mapping[str, Any]]) -> None:
    """Offer a cap to look at, and draw its window once it was asked for."""
    by_name = {str(view["name"]): view for view in views}
    if not by_name:
        empty("No cap holds, so nothing is counted.", "Write the first one below.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(
            "Cap looked at",
            list(by_name),
            format_func=lambda one: plain(one, 60),
            key="spread",
            bind="query-params",
            width=300,
            help="Those inside policies and campaigns, too.",
        )
        asked = st.button("Count now", key="spread-now", icon=":material/calculate:", help="Reads the window's rows.")
    held: dict[str, Any] = st.session_state.setdefault("spreads", {})
    if asked and name:
        held[name] = context.control.get("/caps/exposures", name=name)
    found = held.get(name or "")
    if found is None:
        note("Counts who saw what how often in the cap's window, from the log.")
        return
    _told(context, found, by_name[name or ""])


def _told(context: Context, found: Mapping[str, Any], view: Mapping[str, Any]) -> None:
    span = f"{stamp(found['start'], seconds=False)} to {stamp(found['end'], seconds=False)} UTC"
    note(f"{safe(view['sentence'], limit=200)} · {span} · read {ago(found['end'], context.now)}")
    if found["times"] is None:
        said("unknown", "Fewer than 50 people who are known were shown anything it counts: nothing is told of so few.")
        return
    simulated(found["origins"])
    limit, over = int(found["limit"]), int(found["over"])
    if over:
        said(
            "warn",
            f"{count(over)} of {count(found['impressions'])} impressions lie above {limit}. They may be older than the "
            "cap, or of people whom nobody could count in time.",
        )
    else:
        said("pass", f"None of {count(found['impressions'])} impressions lies above {limit}.")
    times = {int(shown): int(n) for shown, n in found["times"]}
    left, right = st.columns(2)
    with left:
        _spread(context, times, limit, people=int(found["people"]))
    with right:
        _curve(context, found["curve"], limit)
    note(
        "Exact for what was shown; what would have stood in the place of an impression that is held back, and how "
        "often that was seen already, is not part of it. Above today's limit a log that it cut tells nothing."
    )
    go(context, "whatif", "Try a limit on logged decisions")


def named(shown: int, limit: int) -> str:
    """Return what a bar is called; the last one that the cap lets through carries its line.

    >>> named(3, 3), named(4, 3), named(1, 3)
    ('3 = cap', '4 ✕', '1')
    """
    return f"{shown} = cap" if shown == limit else f"{shown} ✕" if shown > limit else str(shown)


def _spread(context: Context, times: Mapping[int, int], limit: int, *, people: int) -> None:
    last = min(max([*times, limit]), MOST)
    bins = [*range(1, last + 1)]
    counts = [sum(n for shown, n in times.items() if shown == one or (one == last and shown > one)) for one in bins]
    names = [named(one, limit) + ("+" if one == last and max(times) > last else "") for one in bins]
    st.markdown("**How often one person saw one thing**")
    chart(
        bars.histogram(names, [("people × things", counts)], context.look, title="times shown"),
        key="spread-chart",
        alt=f"How often one of {count(people)} people saw one thing; the cap is at {limit}: "
        + ", ".join(f"{name}: {count(n)}" for name, n in zip(names, counts, strict=True)),
        rows=lambda: [{"times shown": name, "people × things": n} for name, n in zip(names, counts, strict=True)],
    )
    note(f"{count(people)} people")


def _curve(context: Context, curve: Sequence[Mapping[str, Any]], limit: int) -> None:
    known = [one for one in curve if one["known"]][-MOST:]
    st.markdown("**What if the cap were k**")
    names = [f"k = {one['limit']}" + (" (now)" if one["limit"] == limit else "") for one in known]
    chart(
        bars.histogram(
            names, [("impressions given up", [one["share"] for one in known])], context.look,
            title="at most k", percent=True,
        ),
        key="curve-chart",
        alt="Share of impressions given up, had at most k been shown: "
        + ", ".join(f"{name}: {percent(one['share'])}" for name, one in zip(names, known, strict=True)),
        rows=lambda: [
            {
                "at most": one["limit"],
                "impressions given up": one["given_up"],
                "share": percent(one["share"]),
                "people × things touched": one["touched"],
            }
            for one in known
        ],
    )  # fmt: skip
    table(
        [
            {
                "at most": one["limit"],
                "given up": f"{count(one['given_up'])} ({percent(one['share'])})",
                "people × things touched": count(one["touched"]),
            }
            for one in known
        ],
        key="curve-table",
        alt="Impressions given up and people touched, had at most so many been shown",
    )
