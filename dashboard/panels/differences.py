"""A window held against its baseline: which values differ most, what coincides, and the decisions in it."""

from datetime import datetime
from zoneinfo import ZoneInfo

import streamlit as st

from dashboard.cached import read
from dashboard.context import Context
from dashboard.links import go
from dashboard.panels import coincidences
from dashboard.panels.decisions import summaries
from dashboard.queries import contrast, live, overview, spikes
from dashboard.queries.contrast import Contrast
from dashboard.queries.spikes import Spike
from dashboard.text import SERVED, count, digits, interval, percent, plain
from dashboard.widgets import empty, note, table
from storage.records.access import Scope
from storage.records.clock import moment

MOST = 12
WHOLE = "this range with the one before"
HELP = (
    "Values whose share of decisions (campaign, outcome, reason, replica) or of impressions (attributes of the "
    "context) differs most from the baseline, with 95 % intervals of the difference (Newcombe), 5 % false discoveries "
    "over all values; and what happened then. Source: fairlead_decision_requests_total, cells."
)


def draw(context: Context) -> None:
    """Draw the window that is chosen against the rest."""
    now = read(context, live.pulse, span=context.span)
    found = {_name(one, context.span.zone): one for one in spikes.spikes(now, context.span.end)}
    chosen = st.selectbox(
        "Compare",
        [WHOLE, *found],
        key="window",
        width=420,
        help="The range with the one before it, or a moment at which a figure was farthest from usual (3.5 scaled "
        "median absolute deviations) with the rest of the range.",
    )
    spike = found.get(chosen or "")
    span = context.span
    if spike is None:
        here, rest = [(span.start, span.end)], [(span.before().start, span.start)]
    else:
        here = [(spike.start, spike.end)]
        rest = list(contrast.outside(here[0], (span.start, span.end)))
    _values(read(context, contrast.compare, here=here, rest=rest, hidden=_hidden(context)))
    what = "this range" if spike is None else f"{_clock(spike.start, span.zone)} to {_clock(spike.end, span.zone)}"
    coincidences.draw(context, here, key="live", what=what)
    if spike is not None and context.me.may(Scope.DECISION_READ):
        _decisions(context, spike)


def _clock(at: int, zone: str) -> str:
    local: datetime = moment(at).astimezone(ZoneInfo(zone))
    return f"{local.day} {local:%b %H:%M}"


def _name(one: Spike, zone: str) -> str:
    share = one.figure in {"errors", "fallback or default"}
    value, usual = (percent(number) if share else digits(number) for number in (one.value, one.usual))
    return f"{_clock(one.start, zone)} · {one.figure} {value}, usually {usual}"


def _hidden(context: Context) -> tuple[str, ...]:
    """Return the attributes that this reader may not see people divided by."""
    if context.me.may(Scope.FAIRNESS_READ):
        return ()
    current = read(context, overview.snapshot)
    surfaces = current.installation.surfaces.values() if current else ()
    return tuple(sorted({name for one in surfaces for name, held in one.context.items() if held.sensitive}))


def _values(found: tuple[Contrast, ...]) -> None:
    if not found:
        empty("There is nothing to compare with.", "Choose a range that began later, or a longer one.")
        return
    sure = sum(one.sure for one in found)
    note(
        f"{count(sure)} of {count(len(found))} values differ beyond chance; of all that are called different "
        "about 5 % are not (Benjamini–Hochberg)."
    )
    table(
        [
            {
                "what": one.dimension,
                "value": plain(SERVED.get(one.value, one.value) if one.dimension == "outcome" else one.value, 60),
                "differs": "yes" if one.sure else "not shown",
                "share here": f"{percent(one.here.value, 3)} ({interval(one.here.low, one.here.high)})",
                "share else": f"{percent(one.rest.value, 3)} ({interval(one.rest.low, one.rest.high)})",
                "points": f"{100 * one.difference:+.1f} ({100 * one.low:+.1f} to {100 * one.high:+.1f})",
                "n here": one.here.n,
                "n else": one.rest.n,
                "counted": one.unit,
            }
            for one in found[:MOST]
        ],
        key="differences-table",
        alt="Values whose share differs most from the baseline, with intervals, counts and whether beyond chance",
    )


def _decisions(context: Context, spike: Spike) -> None:
    asked = {"start": spike.start, "end": spike.end, "limit": 10}
    known = context.control.get("/decisions", **asked)["decisions"]
    if not known:
        note("No decision of that moment is in the lake.")
        return
    summaries(known, key="spike-decisions", alt="Decisions made in the chosen moment")
    go(context, "explorer", "Decision explorer")
