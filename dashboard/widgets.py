"""Pieces that every page is made of: panels with their four states, figures with their table, verdicts."""

import contextlib
import logging
import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal

import pandas as pd
import plotly.graph_objects as go
import pyarrow as pa
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import files, shown
from dashboard.context import Context
from dashboard.figures.spark import spark
from dashboard.queries.marks import Mark
from dashboard.text import ago, count, digits, plain, safe, stamp
from storage.errors import FairleadError
from storage.records.clock import SECOND, iso
from storage.spreadsheets import unrun

log = logging.getLogger(__name__)

Width = Literal["stretch", "content"]
Colour = Literal["green", "orange", "red", "gray", "blue"]
VERDICTS: Mapping[str, tuple[str, str, Colour]] = {
    "pass": (":material/check:", "fine", "green"),
    "unknown": (":material/incomplete_circle:", "not enough data", "gray"),
    "warn": (":material/change_history:", "look", "orange"),
    "fail": (":material/close:", "harm shown", "red"),
}
"""How the four verdicts of checks read on every page: icon, word, colour."""
STATES: Mapping[str, tuple[str, Colour]] = {
    "running": (":material/play_arrow:", "green"),
    "done": (":material/check:", "green"),
    "stable": (":material/check:", "green"),
    "applied": (":material/check:", "green"),
    "approved": (":material/check:", "blue"),
    "rollout": (":material/trending_up:", "blue"),
    "in_review": (":material/hourglass_empty:", "blue"),
    "queued": (":material/hourglass_empty:", "blue"),
    "asking": (":material/help:", "blue"),
    "rolled_back": (":material/undo:", "red"),
    "superseded": (":material/history:", "gray"),
    "paused": (":material/pause:", "orange"),
    "draft": (":material/edit:", "gray"),
    "previous": (":material/history:", "gray"),
    "failed": (":material/close:", "red"),
    "rejected": (":material/close:", "red"),
}
MOST_ROWS = 500
CONFIG = {"displaylogo": False, "displayModeBar": False, "scrollZoom": False, "responsive": True}


def verdict(word: str, note: str = "") -> None:
    """Show a verdict: icon, word and colour, the same everywhere; ``note`` is trusted text behind it."""
    icon, text, colour = VERDICTS.get(word, VERDICTS["unknown"])
    st.badge(f"{text}{note}", icon=icon, color=colour)


def said(word: str, text: str) -> None:
    """Show a verdict and, in the same line, what it is about; ``text`` is trusted."""
    icon, name, colour = VERDICTS.get(word, VERDICTS["unknown"])
    st.markdown(f":{colour}-badge[{icon} {name}] {text}")


def state(word: str) -> None:
    """Show a state: icon, word and colour."""
    icon, colour = STATES.get(word, (":material/circle:", "gray"))
    st.badge(word.replace("_", " "), icon=icon, color=colour)


def note(text: str, *, help: str | None = None, width: Width = "stretch") -> None:  # noqa: A002  # Streamlit's own word
    """Write trusted text small and muted, at the contrast of the theme (Streamlit's captions are fainter)."""
    st.markdown(f":small[:gray[{text}]]", help=help, width=width)


def empty(why: str, then: str) -> None:
    """Say why there is nothing, and what to do next."""
    st.markdown(f":gray[:material/explore:] {why}  \n:small[:gray[{then}]]")


def failure(error: Exception, key: str) -> None:
    """Say what went wrong, its code and the way out; the rest of the page lives on."""
    known = isinstance(error, FairleadError)
    code = error.code if isinstance(error, FairleadError) else FairleadError.code
    words = str(error)
    told = (
        safe(words[:1].upper() + words[1:], limit=400)
        if known
        else "This panel met an error of its own; the log of the dashboard says more"
    )
    st.error(f"{told}.  \nCode {code}", icon=":material/error:")
    with st.container(horizontal=True):
        st.button("Try again", key=f"again-{key}", icon=":material/refresh:", type="tertiary")
        with st.popover("Details to copy", type="tertiary"):
            problems = [f"{one.field}: {one.message}" for one in getattr(error, "problems", ())]
            told = "\n".join([f"code {code}", f"kind {type(error).__name__}", f"panel {key}", *problems])
            st.code(told, language=None, wrap_lines=True)


@contextlib.contextmanager
def guard(key: str) -> Iterator[None]:
    """Keep an error to this block: say what went wrong and let the rest of the page live."""
    try:
        yield
    except FairleadError as error:
        failure(error, key)
    except Exception as error:
        log.exception("the panel %s failed", key)
        failure(error, key)


@contextlib.contextmanager
def panel(
    title: str,
    *,
    help: str,  # noqa: A002  # Streamlit's own word
    key: str,
    height: Literal["stretch", "content"] = "stretch",
) -> Iterator[None]:
    """Draw a bordered panel whose error stays its own; panels side by side are of one height."""
    with frame(key, height=height), filled(title, help=help, key=key):
        yield


def frame(key: str, *, height: Literal["stretch", "content"] = "stretch") -> DeltaGenerator:
    """Return the border of a panel; a fragment that is to draw the panel by itself goes between it and ``filled``."""
    return st.container(border=True, key=f"panel-{key}", height=height)


@contextlib.contextmanager
def filled(title: str, *, help: str, key: str) -> Iterator[None]:  # noqa: A002  # Streamlit's own word
    """Draw what is within the border of a panel: its title, its files, and its error, if any."""
    with shown.within(key, title, help) as tables:
        place = None
        if title:
            with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
                st.markdown(f"## {title}", help=help, width="content")
                place = st.container(width="content")
        with guard(key):
            yield
        with st.container() if place is None else place:
            files.tables(tables, key=key)


def as_of(at: int | None, context: Context, *, every_s: int = 10) -> None:
    """Say how old the data is: amber beyond two polls, red beyond five."""
    if at is None:
        return
    age_s = (context.now - at) / SECOND
    colour = "red" if age_s > 5 * every_s else "orange" if age_s > 2 * every_s else "gray"
    word = "late, " if colour != "gray" else ""
    note(f":material/schedule: :{colour}[{word}as of {ago(at, context.now)}]", help=f"Newest data: {iso(at)} (UTC).")


def simulated(origins: Sequence[str]) -> None:
    """Say which rows a chart holds; simulated ones stand out."""
    held = sorted(set(origins))
    if "simulated" in held:
        others = [one for one in held if one != "simulated"]
        st.badge(
            f"holds simulated rows{', and ' + ' and '.join(others) + ' ones' if others else ''}",
            icon=":material/science:",
            color="orange",
            help="Clicks of simulated rows come from a model fitted to the log; no lift follows from them.",
        )
    elif held:
        note(f":material/database: rows: {' and '.join(held)}")


def choose(noun: str, found: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the document that is looked at, of those that can be edited; None for a new one. The address keeps it."""
    by_key = {view[noun]["key"]: view for view in found}
    key = st.selectbox(
        noun.capitalize(),
        [None, *by_key],
        format_func=lambda one: "a new one" if one is None else plain(one, 60),
        key=noun,
        bind="query-params",
        width=260,
        help=f"The {noun} that is looked at, or a new one.",
    )
    return by_key.get(key or "")


def table(rows: Sequence[Mapping[str, Any]], *, key: str, alt: str, columns: Mapping[str, Any] | None = None) -> None:
    """Draw rows as a table; text cells are drawn letter by letter, never as Markdown. Its panel offers it as files.

    Of more than ``MOST_ROWS`` the first ones are drawn, which is said; the files hold all.
    """
    held = list(rows)
    shown.keep(key, alt, held)
    shown.now().tables.append(key)
    _drawn(held[:MOST_ROWS], key=key, alt=alt, columns=columns)
    if len(held) > MOST_ROWS:
        note(f"The first {count(MOST_ROWS)} of {count(len(held))} rows; Files holds them all.")


def _drawn(rows: Sequence[Mapping[str, Any]], *, key: str, alt: str, columns: Mapping[str, Any] | None = None) -> None:
    """Draw rows; a text that a spreadsheet would run is quoted, for the table's own menu saves cells as they are."""
    st.dataframe(
        _arrow(pickle.dumps(rows)),
        hide_index=True,
        key=key,
        alt=alt,
        column_config=dict(columns or {}),
        width="stretch",
    )


@lru_cache(maxsize=128)
def _arrow(rows: bytes) -> pa.Table | pd.DataFrame:
    """Return rows as what the browser is sent; those of a page that refreshes itself are often the same."""
    harmless = [{name: unrun(value) for name, value in row.items()} for row in pickle.loads(rows)]  # noqa: S301  # our own
    frame = pd.DataFrame(harmless)
    try:
        return pa.Table.from_pandas(frame)
    except pa.ArrowException:  # a column of several kinds, which Streamlit makes text
        return frame


def chart(
    figure: go.Figure,
    *,
    key: str,
    alt: str,
    rows: Callable[[], Sequence[Mapping[str, Any]]],
    on_select: bool = False,
    marks: Sequence[Mark] = (),
) -> Any:
    """Draw a figure with its text alternative, and offer the same numbers as a table and a file; of what is marked on
    it, where it is written down."""
    event = st.plotly_chart(
        figure,
        theme=None,
        key=key,
        alt=alt,
        config=CONFIG,
        on_select="rerun" if on_select else "ignore",
        selection_mode="points",
    )
    numbers = list(rows())
    shown.keep(key, alt, numbers)
    with st.container(horizontal=True):
        with st.popover("Numbers", icon=":material/table:", type="tertiary", key=f"{key}-numbers"):
            _drawn(numbers, key=f"{key}-table", alt=f"The numbers of: {alt}")
            with st.container(horizontal=True, vertical_alignment="center"):
                files.numbers(key)
            files.picture(figure, key=key, alt=alt)
        if marks:
            _marked(marks, key)
    return event


def trend(
    place: DeltaGenerator,
    context: Context,
    points: Sequence[tuple[int, float | None]],
    *,
    what: str,
    told: Callable[[float], str] = digits,
) -> None:
    """Draw the course of a figure under it, where two points are known; ``told`` writes a value as text."""
    if drawn := spark([value for _, value in points], context.look, what=what, told=told):
        place.image(drawn.svg, alt=drawn.alt, width="stretch")


def _marked(marks: Sequence[Mark], key: str) -> None:
    with st.popover(f"Marks ({len(marks)})", icon=":material/flag:", type="tertiary", key=f"{key}-marks"):
        note("What happened, the newest first, with where it is written down. It coincides; it need not be the cause.")
        for place, one in reversed(list(enumerate(marks, 1))):
            where = "in the ledger" if one.revision is not None else f"on the page {one.page}"
            st.markdown(f"{place} · {stamp(one.at)} UTC · {safe(one.text, limit=90)} · [{where}]({one.address()})")
