"""Readings kept for a short while, apart by permission; the last good one is shown when the database is away."""

import logging
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

import streamlit as st

from dashboard.context import Context
from dashboard.text import ago
from storage.database import Database, Read
from storage.errors import Unavailable
from storage.records import clock

log = logging.getLogger(__name__)

T = TypeVar("T")
P = ParamSpec("P")

KEEP_S = 15


@st.cache_data(ttl=KEEP_S, max_entries=256, show_spinner=False)
def _kept(_database: Database, _query: Callable[[Read], Any], key: tuple[str, ...]) -> tuple[Any, int]:  # noqa: ARG001  # the key is what the cache looks at
    with _database.read() as session:
        return _query(session), clock.now()


def read(context: Context, query: Callable[Concatenate[Read, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what ``query`` finds, at most ``KEEP_S`` old; older, greyed and dated when the database is away.

    Raises
    ------
    Unavailable
        When the database does not answer and nothing was read before.
    """
    key = (
        f"{query.__module__}.{query.__qualname__}",
        context.database.url.render_as_string(hide_password=True),
        ",".join(sorted(context.me.scopes)),
        repr((args, sorted(kwargs.items()))),
    )
    last = f"last good {key[0]} {key[2]}"
    try:
        value, at = _kept(context.database, lambda session: query(session, *args, **kwargs), key)
    except Unavailable as error:
        if last not in st.session_state:
            raise
        value, at = st.session_state[last]
        log.warning("showing a reading of %s, %s: %s", key[0], ago(at, context.now), error)
        st.badge(
            f"stale: read {ago(at, context.now)}, the database does not answer", icon=":material/history:", color="gray"
        )
    else:
        st.session_state[last] = (value, at)
    kept: T = value
    return kept
