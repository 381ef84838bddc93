"""The header of a page: its question, the range, the zone, the refresh, and a link that keeps them all."""

import logging
from dataclasses import dataclass, replace
from datetime import date, timedelta
from urllib.parse import urlencode
from zoneinfo import available_timezones

import streamlit as st

from dashboard import cached
from dashboard.context import Context
from dashboard.queries.overview import data_span
from dashboard.span import LABELS, REFRESH_S, Span, refresh_s, resolve, told
from dashboard.text import safe, stamp
from dashboard.widgets import note
from storage.errors import FairleadError
from storage.records.clock import iso, moment

log = logging.getLogger(__name__)

REFRESH_LABELS = {"auto": "Default", "off": "Off", "10s": "10 s", "30s": "30 s", "1m": "1 min", "5m": "5 min"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """What a page's range and refresh are as long as nobody chooses; ``ranged`` is false where no panel has a range."""

    span: str = "24h"
    refresh_s: int = 0
    ranged: bool = True


def zones(campaign_zone: str | None = None) -> list[str]:
    """Return the zones on offer: UTC, those of campaigns and of the browser, then a few of each part of the world."""
    known = available_timezones()
    wanted = ("UTC", campaign_zone or "", st.context.timezone or "", "Europe/London", "Europe/Berlin")
    more = ("America/New_York", "America/Los_Angeles", "Asia/Kolkata", "Asia/Tokyo", "Australia/Sydney")
    return [zone for zone in dict.fromkeys((*wanted, *more)) if zone in known]


def _bounds(context: Context) -> tuple[int, int] | None:
    try:
        return cached.read(context, data_span)
    except FairleadError:
        log.warning("the range of all data is not known; taking 30 days")
        return None


def _link(span: Span) -> None:
    with st.popover("Link", icon=":material/link:", type="tertiary", help="An address that shows this very view"):
        base = (st.context.url or "").split("?")[0]
        now = st.query_params.to_dict()
        note("Moves with the clock, as it stands in the address bar:")
        st.code(f"{base}?{urlencode(now)}" if now else base, language=None, wrap_lines=True)
        fixed = now | {"range": LABELS["custom"], "from": iso(span.start)[:10], "to": iso(span.end - 1)[:10], "v": "1"}
        note("Fixed to these days:")
        st.code(f"{base}?{urlencode(fixed)}", language=None, wrap_lines=True)


def _dates(context: Context) -> tuple[date, date]:
    today = moment(context.now).date()
    first = st.date_input("From", value=today - timedelta(days=7), key="from", bind="query-params")
    last = st.date_input("To", value=today, key="to", bind="query-params")
    return (first if isinstance(first, date) else today, last if isinstance(last, date) else today)


def banner(context: Context, title: str, question: str) -> None:
    """Draw the title with its question; name the environment in word and colour, and who looks."""
    production = context.environment.lower().startswith("prod")
    role = context.me.role.replace("_", " ")
    who = safe(context.me.principal) if context.me.principal == role else f"{safe(context.me.principal)}, {safe(role)}"
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.title(title, anchor=False, width="content")
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            note(f":material/person: {who}" + (", solo" if context.me.solo else ""), width="content")
            st.badge(
                context.environment.upper(),
                icon=":material/warning:" if production else ":material/science:",
                color="red" if production else "gray",
                help="One installation is one environment.",
            )
    note(question)


def choose(context: Context, defaults: Defaults) -> Context:
    """Draw the controls of range, zone and refresh, and return the context that they make."""
    if not defaults.ranged:
        return replace(context, span=resolve(defaults.span, now=context.now, zone="UTC"))
    with st.container(horizontal=True, vertical_alignment="bottom", key="view"):
        key = st.selectbox(
            "Range",
            list(LABELS),
            format_func=lambda one: f"Default: {LABELS[defaults.span].lower()}" if one == "auto" else LABELS[one],
            key="range",
            bind="query-params",
            persist_state="session",
            width=190,
            help="The one range of every panel on this page.",
        )
        zone = st.selectbox(
            "Zone",
            zones(),
            key="tz",
            bind="query-params",
            persist_state="session",
            width=170,
            help="The clock that axes and dates are read in.",
        )
        choice = st.selectbox(
            "Refresh",
            list(REFRESH_S),
            format_func=REFRESH_LABELS.__getitem__,
            key="refresh",
            bind="query-params",
            persist_state="session",
            width=110,
            help="How often live panels read anew; off where the range does not include now.",
        )
        dates = _dates(context) if key == "custom" else None
        needs_bounds = key == "all" or (key == "auto" and defaults.span == "all")
        span = resolve(
            key or "auto",
            now=context.now,
            zone=zone or "UTC",
            default=defaults.span,
            dates=dates,
            data=_bounds(context) if needs_bounds else None,
        )
        _link(span)
    every = refresh_s(choice or "auto", span, default=defaults.refresh_s)
    note(f"{told(span)} · read {stamp(context.now)} UTC" + (f" · refreshes every {every} s" if every else ""))
    return replace(context, span=span, refresh_s=every)
