"""Creators on the page of insights: how their items do, and what each part of the audience prefers."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard.context import Context
from dashboard.figures.bars import Estimate, estimates
from dashboard.text import count, interval, percent, plain, safe
from dashboard.widgets import chart, empty, note, said, simulated, table

Creator = Mapping[str, Any]
KINDS: Mapping[str, str] = {"segment": "Segments of people", "context": "Circumstances", "item": "Items"}
DOTS: Mapping[str, str] = {"pass": "more", "warn": "less", "unknown": "not shown"}
MOST_DRAWN = 12
FEW = "< 50"
WIDEST = 12
"""So many letters fit beside a figure."""


def missing(attribute: str) -> None:
    """Say why there is no creator, and what names one."""
    if attribute:
        empty(
            f"Nothing of any creator was shown: no item shown has the attribute {safe(attribute)}.",
            "Items name their creator by that attribute; the settings may name another (creator).",
        )
        return
    empty(
        "No item names its creator.",
        "Give items the attribute creator, maker, author, seller, provider or brand, or name another in the settings.",
    )


def listed(found: Sequence[Creator]) -> None:
    """Draw every creator in a row."""
    table(
        [
            {
                "creator": plain(one["creator"], 80),
                "rows": one["rows"],
                "items": one["items"],
                "people": _people(one),
                "impressions": FEW + " people" if one["impressions"] is None else count(one["impressions"]),
                "click rate": percent(one["rate"]),
                "95 % interval": "–" if one["rate"] is None else interval(one["low"], one["high"]),
                "beside everyone else": _apart(one),
                "clicked": DOTS[one["verdict"]],
            }
            for one in found
        ],
        key="creators-table",
        alt="Creators with impressions, click rate and how far it lies from everyone else's",
    )
    simulated([one["rows"] for one in found])


def audience(context: Context, found: Sequence[Creator]) -> None:
    """Draw what each part of one creator's audience prefers."""
    by_name = {f"{one['creator']} · {one['rows']}": one for one in found}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(
            "Creator",
            list(by_name),
            format_func=lambda key: plain(key, 80),
            key="creator",
            bind="query-params",
            width=320,
            help="Whose audience is looked at; rows of one origin.",
        )
        one = by_name.get(name or "", found[0])
        held = [kind for kind in KINDS if any(each["kind"] == kind for each in one["prefers"])] or list(KINDS)
        kind = st.segmented_control(
            "Told by", held, format_func=KINDS.__getitem__, default=held[0], key="told_by",
            help="By segments of people, by the circumstances of the decision, or by single items.",
        )  # fmt: skip
    said(one["verdict"], f"**{safe(one['creator'])}**: {safe(one['sentence'], limit=300)}")
    if one["rows"] == "simulated":
        simulated(("simulated",))
    parts = [each for each in one["prefers"] if each["kind"] == (kind or held[0])]
    if not parts:
        empty("Nothing is told by this.", "No known person, or no open attribute of the context, stands behind it.")
        return
    shown = [each for each in parts if not each["masked"]][:MOST_DRAWN]
    if shown:
        chart(
            estimates(
                [
                    Estimate(
                        name=label(each["value"]), value=each["rate"], low=each["low"], high=each["high"],
                        n=each["impressions"],
                    )
                    for each in shown
                ],
                context.look,
                title="clicks per impression of this creator's items",
                reference=(one["rate"], "the creator's mean") if one["rate"] is not None else None,
            ),
            key="prefers-rates",
            alt="Click rate of parts of the audience with intervals: "
            + "; ".join(f"{each['value']} {percent(each['rate'])}" for each in shown),
            rows=lambda: [_row(each) for each in parts],
        )  # fmt: skip
    table([_row(each) for each in parts], key="prefers-table", alt="Parts of the audience with intervals and masks")
    hidden = sum(each["masked"] for each in parts)
    if hidden:
        note(f"{hidden} of {len(parts)} are masked: too few known people stand behind them, or behind the one beside.")


def label(value: str) -> str:
    """Return a part's name so that long ones still differ in a figure.

    >>> label("device=tv"), label("user_feature_1=03a5648a7683")
    ('device=tv', '_1=03a5648a')
    """
    name, equals, said = value.partition("=")
    return value if len(value) <= WIDEST or not equals else f"{name[-2:]}={said[:8]}"


def _row(one: Mapping[str, Any]) -> Mapping[str, Any]:
    masked = one["masked"]
    return {
        "part": plain(one["value"], 80),
        "people": "masked" if masked else _people(one),
        "impressions": "masked" if masked else count(one["impressions"]),
        "click rate": "masked" if masked else percent(one["rate"]),
        "95 % interval": "–" if masked else interval(one["low"], one["high"]),
        "beside the rest": _apart(one),
        "stands": "–" if not one["apart"] else "yes" if one["apart"]["stands"] else "no",
    }


def _people(one: Mapping[str, Any]) -> str:
    if one["people"] is not None:
        return count(one["people"])
    return "not known" if one["impressions"] is not None else FEW


def _apart(one: Mapping[str, Any]) -> str:
    found = one["apart"]
    return "–" if not found else f"from {100 * found['low']:+.2f} to {100 * found['high']:+.2f} points"
