"""Readings kept for a short while, apart by permission; the last good one is shown when the database is away."""

import logging
import re
from collections import OrderedDict
from collections.abc import Callable
from math import floor, log2
from typing import Any, Concatenate, ParamSpec, TypeVar

import streamlit as st

from dashboard.context import Context
from dashboard.queries import freshness
from dashboard.queries.freshness import Head
from dashboard.text import ago
from storage.database import Database, Read
from storage.errors import TooSlow, Unavailable
from storage.records import clock

log = logging.getLogger(__name__)

T = TypeVar("T")
P = ParamSpec("P")

KEEP_S = 15
HEAD_S = 2
"""How long a new window may be overlooked."""
MOST = "128MB"
GOOD, MOST_GOOD = "last good", 64
"""Where a session keeps the last good readings, and how many."""
MOMENT = re.compile(r"\b\d{16}\b")


@st.cache_data(ttl=KEEP_S, max_entries=512, max_size=MOST, show_spinner=False)
def _kept(_database: Database, _query: Callable[[Read], Any], key: tuple[str, ...]) -> tuple[Any, int]:  # noqa: ARG001  # the key is what the cache looks at
    try:
        with _database.read() as session:
            return _query(session), clock.now()
    except TooSlow as error:  # kept as well: to ask again at once, once for each who looks, would make it slower still
        return error, clock.now()


@st.cache_data(ttl=HEAD_S, max_entries=16, show_spinner=False)
def _head(_database: Database, url: str, _now: int) -> Head:  # noqa: ARG001  # the address is what the cache looks at
    with _database.read() as session:
        return freshness.head(session, now=_now)


def _url(context: Context) -> str:
    return context.database.url.render_as_string(hide_password=True)


def head(context: Context) -> Head:
    """Return where the series of metrics end, at most ``HEAD_S`` late; nowhere when the database is away."""
    try:
        return _head(context.database, _url(context), context.now)
    except Unavailable:
        return Head()


def read(context: Context, query: Callable[Concatenate[Read, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what ``query`` finds, at most ``KEEP_S`` old; older, greyed and dated when the database is away.

    All who carry the same scopes share one reading. Where the context knows the head of the series, a newer window
    makes a new reading.

    Raises
    ------
    Unavailable
        When the database does not answer and nothing was read before.
    """
    return _read(context, query, lambda session: query(session, *args, **kwargs), (args, sorted(kwargs.items())))


def current(context: Context, query: Callable[..., T], **kwargs: Any) -> T:
    """Return what ``query`` finds at the moment of the reading; as ``read``, but ``now`` makes no reading of its own.

    Raises
    ------
    Unavailable
        As ``read``.
    """
    return _read(context, query, lambda session: query(session, now=context.now, **kwargs), sorted(kwargs.items()))


def _read(context: Context, query: Callable[..., T], ask: Callable[[Read], T], asked: object) -> T:
    name, scopes = f"{query.__module__}.{query.__qualname__}", ",".join(sorted(context.me.scopes))
    good: OrderedDict[tuple[str, ...], tuple[Any, int]] = st.session_state.setdefault(GOOD, OrderedDict())
    about = (name, scopes, _about(repr(asked), context.now))
    try:
        value, at = _kept(context.database, ask, (name, _url(context), scopes, context.head, repr(asked)))
        if isinstance(value, TooSlow):
            raise value
    except Unavailable as error:
        if about not in good:
            raise
        value, at = good[about]
        log.warning("showing a reading of %s, %s: %s", name, ago(at, context.now), error)
        why = "a new reading takes too long" if isinstance(error, TooSlow) else "the database does not answer"
        st.badge(f"stale: read {ago(at, context.now)}, {why}", icon=":material/history:", color="gray")
    else:
        good[about] = (value, at)
        good.move_to_end(about)
        while len(good) > MOST_GOOD:
            good.popitem(last=False)
    kept: T = value
    return kept


def _about(asked: str, now: int) -> str:
    """Return what was asked, moments told by about how long before ``now`` they are: a range that ends now moves on, a
    range of another length, or another campaign, is another thing.

    >>> hour, now = 3_600_000_000, 1_700_000_000_000_000
    >>> _about(f"since={now - hour}", now) == _about(f"since={now}", now + hour)
    True
    >>> _about(f"since={now}", now + hour) == _about(f"since={now}", now + 9 * hour)
    False
    """
    return MOMENT.sub(lambda found: _ago(now - int(found[0])), asked)


def _ago(past: int) -> str:
    minutes = abs(past) / clock.MINUTE
    return f"{'-' if past < 0 and minutes >= 1 else ''}2^{floor(log2(minutes) + 0.25) if minutes >= 1 else 0} min"
