"""Panels of the catalogue: what it holds, its syncs, the rows that they refused, and which sources use it."""

import streamlit as st

from dashboard.cached import read
from dashboard.context import Context
from dashboard.queries import sources as candidates
from dashboard.queries.system import SystemState
from dashboard.text import ago, count, digits, safe
from dashboard.widgets import empty, note, table, verdict
from storage.syncs import Standing

MOST_REFUSALS = 20


def catalogue(context: Context, found: SystemState) -> None:
    """Draw the catalogue and its syncs."""
    holding = found.catalogue
    if not holding.items and not found.syncs:
        empty("The catalogue is empty.", "`fairlead catalogue import FILE` reads one, `declare` keeps one in step.")
        return
    bad = [each for each in found.syncs if _state(each) in ("failed", "with refusals")]
    with st.container(horizontal=True, vertical_alignment="center"):
        verdict("warn" if bad else "pass")
        st.markdown(
            f"{count(holding.items)} items, {count(holding.hidden)} of them hidden; version {count(holding.version)}."
        )
    if not found.syncs:
        note("No sync is declared: the catalogue stands as it was imported. `fairlead catalogue declare` adds one.")
        return
    table(
        [
            {
                "sync": each.name,
                "from": each.sync.source,
                "every": f"{digits(each.sync.every_s)} s" if each.sync.enabled else "off",
                "state": _state(each),
                "last run": ago(None if each.latest is None else each.latest.started_at, context.now),
                "items": holding.sources.get(each.name, 0),
                **{
                    name: "–" if each.told is None else getattr(each.told, name)
                    for name in ("added", "changed", "hidden", "refused")
                },
            }
            for each in found.syncs
        ],
        key="syncs-table",
        alt="Catalogue syncs with what their latest run did",
    )
    for each in bad:
        if each.latest is not None and each.latest.result == "failed":
            note(f"{safe(each.name)}: {safe(each.latest.note, limit=300)}")
    refusals = [
        {"sync": each.name, "row": refusal.row, "field": refusal.field, "what to mend": refusal.reason}
        for each in found.syncs
        if each.told is not None
        for refusal in each.told.refusals[:MOST_REFUSALS]
    ]
    if refusals:
        st.markdown("Rows that were refused; what the catalogue knew of these items before still holds:")
        table(refusals, key="refusals-table", alt="Refused rows with field and reason")


def sources(context: Context) -> None:
    """Draw which sources brought what was shown."""
    found = read(context, candidates.sources, now=context.now)
    if not found:
        empty("No decision of the last day had candidates.", "`POST /v1/personalize` makes one.")
        return
    table(
        [
            {
                "source": each.source,
                "brought first": each.brought,
                "shown": each.shown,
                "share of shown": "–" if each.share is None else f"{each.share:.0%}",
            }
            for each in found
        ],
        key="sources-table",
        alt="Candidate sources with what they brought and what of it was shown",
    )


def _state(standing: Standing) -> str:
    latest = standing.latest
    if latest is None:
        return "not run yet"
    if latest.result == "failed":
        return "failed"
    return "with refusals" if standing.told is not None and standing.told.refused else "in step"
