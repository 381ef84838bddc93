"""The header of a page: its question, the range, the zone, the refresh, and a link that keeps them all."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo, available_timezones

import streamlit as st

from dashboard import cached, files, shown, words
from dashboard.context import Context
from dashboard.panels.bell import bell
from dashboard.queries import freshness
from dashboard.queries.overview import data_span
from dashboard.span import LABELS, REFRESH_S, Span, refresh_s, resolve, told, window
from dashboard.text import lasting, safe, stamp
from dashboard.widgets import Colour, note
from storage.errors import FairleadError
from storage.records.clock import SECOND, iso, moment

log = logging.getLogger(__name__)

POLL_US = 10 * SECOND
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


def _window() -> tuple[int, int] | None:
    """Return the window of the frozen link that this session came by; the address keeps it from page to page."""
    first, last = (st.query_params.get(name, "") for name in ("from", "to"))
    if (found := window(first, last)) is not None:
        st.session_state["frozen"] = (first, last)
        return found
    return window(*st.session_state.get("frozen", ("", "")))


def _carry(page: str) -> None:
    """Carry the choices of the page before over to this one.

    Streamlit forgets what came with the first address when the first other page is opened; the address goes before.
    """
    held = st.session_state.setdefault("view", {"page": page})
    if held["page"] != page:
        for name in ("range", "tz", "refresh", "from", "to"):
            if name in held and name not in st.query_params:
                st.session_state[name] = held[name]
    st.session_state["view"] = {"page": page}


def _remember(**chosen: object) -> None:
    st.session_state["view"].update({name: value for name, value in chosen.items() if value is not None})


def link(span: Span, asked: Mapping[str, str]) -> dict[str, str]:
    """Return the query of a link that always shows this very window."""
    frozen = {"range": LABELS["fixed"], "from": iso(span.start), "to": iso(span.end), "tz": span.zone, "v": "1"}
    return {name: value for name, value in asked.items() if name != "refresh"} | frozen


def _keep_window() -> None:
    first, last = st.session_state["frozen"]
    if st.query_params.get("from") != first or st.query_params.get("to") != last:
        st.query_params["from"], st.query_params["to"] = first, last


def _link(span: Span) -> None:
    with st.popover("Link", icon=":material/link:", type="tertiary", help="An address that shows this very view"):
        base = (st.context.url or "").split("?")[0]
        asked = st.query_params.to_dict()
        if span.key != "fixed":
            note("Moves with the clock, as it stands in the address bar:")
            st.code(f"{base}?{urlencode(asked | {'v': '1'})}", language=None, wrap_lines=True)
        note(f"Fixed to {told(span)}:")
        st.code(f"{base}?{urlencode(link(span, asked))}", language=None, wrap_lines=True)


def _dates(context: Context, zone: str) -> tuple[datetime, datetime]:
    today = moment(context.now).astimezone(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, tzinfo=None)
    tomorrow = today + timedelta(days=1)
    words = "On the clock of the zone chosen beside it."
    first, last = (
        st.datetime_input(
            label, value=value, key=key, bind="query-params", step=60, format="YYYY-MM-DD", width=210, help=words
        )
        for label, value, key in (("From", today - timedelta(days=7), "from"), ("To", tomorrow, "to"))
    )
    _remember(**{"from": first, "to": last})
    return first or today, last or tomorrow


def age(newest_at: int | None, now: int) -> tuple[str, Colour]:
    """Return how old the newest data is, in words and colour: amber beyond two polls, red beyond five.

    >>> age(0, 4 * SECOND), age(0, 30 * SECOND), age(None, 0)
    (('data 4 s old', 'gray'), ('late: data 30 s old', 'orange'), ('no live data', 'gray'))
    """
    if newest_at is None:
        return "no live data", "gray"
    old = now - newest_at
    colour: Colour = "red" if old > 5 * POLL_US else "orange" if old > 2 * POLL_US else "gray"
    late = "" if colour == "gray" else "late: "
    return f"{late}data {lasting(max(0, old))} old", colour


def _newest(context: Context) -> int | None:
    try:
        return cached.read(context, freshness.newest, now=context.now - context.now % POLL_US)
    except FairleadError:
        return None


def banner(context: Context, key: str, title: str, question: str) -> None:
    """Draw the title with its question; name the environment in word and colour, the data's age, and who looks."""
    production = context.environment.lower().startswith("prod")
    role = context.me.role.replace("_", " ")
    who = safe(context.me.principal) if context.me.principal == role else f"{safe(context.me.principal)}, {safe(role)}"
    newest_at = _newest(context)
    shown.begin(context, key, question, newest_at=newest_at)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.title(title, anchor=False, width="content")
        with st.container(horizontal=True, vertical_alignment="center", width="content", key="who"):
            old, colour = age(newest_at, context.now)
            st.badge(
                old,
                icon=":material/schedule:",
                color=colour,
                help="Between the end of the newest window scraped from an engine and the drawing of this page; late "
                "beyond 20 s, red beyond 50 s. Source: the series of metrics.",
            )
            bell(context)
            note(f":material/person: {who}" + (", solo" if context.me.solo else ""), width="content")
            st.badge(
                context.environment.upper(),
                icon=":material/warning:" if production else ":material/science:",
                color="red" if production else "gray",
                help="One installation is one environment.",
            )
            words.offer(title)
    note(question)


def choose(context: Context, defaults: Defaults) -> Context:
    """Draw the controls of range, zone and refresh, and return the context that they make."""
    if not defaults.ranged:
        files.evidence(context)
        return replace(context, span=resolve(defaults.span, now=context.now, zone="UTC"))
    with st.container(horizontal=True, vertical_alignment="bottom", key="view"):
        frozen = _window()
        _carry(shown.now().page)
        key = st.selectbox(
            "Range",
            [one for one in LABELS if one != "fixed" or frozen is not None],
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
        dates = _dates(context, zone or "UTC") if key == "custom" else None
        _remember(range=key, tz=zone, refresh=choice)
        if key == "fixed":
            _keep_window()
        needs_bounds = key == "all" or (key == "auto" and defaults.span == "all")
        span = resolve(
            key or "auto",
            now=context.now,
            zone=zone or "UTC",
            default=defaults.span,
            dates=dates,
            window=frozen,
            data=_bounds(context) if needs_bounds else None,
        )
        _link(span)
        files.evidence(context)
    every = refresh_s(choice or "auto", span, default=defaults.refresh_s)
    note(f"{told(span)} · read {stamp(context.now)} UTC" + (f" · refreshes every {every} s" if every else ""))
    context = replace(context, span=span, refresh_s=every)
    shown.ranged(context)
    return context
