"""What coincides with a stretch of time, nearest first, as a table; it never says what caused what."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from dashboard.cached import read
from dashboard.context import Context
from dashboard.entrance import ADDRESSES
from dashboard.queries import coincidences
from dashboard.queries.coincidences import Happening, nearness
from dashboard.span import LABELS
from dashboard.text import lasting, plain, stamp
from dashboard.widgets import empty, note, table
from storage.errors import FairleadError
from storage.records.access import Scope
from storage.records.clock import MINUTE, iso

MOST_SHOWN = 12


def draw(
    context: Context,
    ranges: Sequence[tuple[int, int]],
    *,
    key: str,
    what: str,
    apart_from: frozenset[str] = frozenset(),
) -> tuple[Happening, ...]:
    """Draw what coincides with some ranges, but for some kinds; ``what`` is trusted and names them. Return what was
    found."""
    near = coincidences.widening(ranges)
    known = read(context, coincidences.around, ranges=tuple(ranges), widen=near)
    found = tuple(one for one in known if one.kind not in apart_from)
    st.markdown(f"**Coincides with {what}**")
    if not found:
        empty(
            f"Nothing that is written down happened within {lasting(near)} of it.",
            "No change of control, model, finding, restart or gap; look at the decisions below.",
        )
        return found
    entries = _entries(context, found)
    start, end = min(first for first, _ in ranges) - near, max(last for _, last in ranges) + near
    window = urlencode(
        {"range": LABELS["fixed"], "from": iso(start), "to": iso(end), "tz": context.span.zone, "v": "1"}
    )
    table(
        [_row(one, entries.get(one.revision or -1), window) for one in found[:MOST_SHOWN]],
        key=f"{key}-coincides",
        alt=f"What happened within {lasting(near)} of what is looked at, nearest first",
        columns={"look": st.column_config.LinkColumn("look", display_text=r"^/([a-z]+)")},
    )
    more = f"; {len(found) - MOST_SHOWN} more lie farther off" if len(found) > MOST_SHOWN else ""
    note(f"Within {lasting(near)}, nearest first{more}. What coincides need not be the cause.")
    return found


def _row(one: Happening, entry: Mapping[str, Any] | None, window: str) -> dict[str, Any]:
    known = entry or {}
    page = one.page if one.page in ADDRESSES else "checks"
    return {
        "when (UTC)": stamp(one.at),
        "how near": nearness(one),
        "kind": one.kind,
        "what": plain(one.text, 200),
        "by": plain(known.get("actor", ""), 60),
        "why": plain(known.get("reason", ""), 120),
        "look": f"/{page}?{window}",
    }


def _entries(context: Context, found: Sequence[Happening]) -> dict[int, Mapping[str, Any]]:
    """Return the ledger entries of the changes, by revision, for those who may read the ledger."""
    changes = [one for one in found if one.revision is not None]
    if not changes or not context.me.may(Scope.AUDIT_READ):
        return {}
    start, end = min(one.at for one in changes) - MINUTE, max(one.at for one in changes) + MINUTE
    try:
        listed = context.control.get("/ledger", start=start, end=end, limit=200)["entries"]
    except FairleadError:
        note(":material/cloud_off: control does not answer; who did it is not known now.")
        return {}
    return {int(one["revision"]): one for one in reversed(listed) if one.get("revision") is not None}
