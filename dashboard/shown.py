"""What a page shows in this session: the words of its panels and its numbers, for help, files and evidence."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from dashboard.context import Context
from dashboard.evidence import About

KEY = "shown"
APART = frozenset({"range", "from", "to", "tz", "refresh", "v", "login"})
"""What the address keeps beside filters."""
NOWHERE = About(page="", environment="", start=None, end=None, zone="UTC", read_at=0)


@dataclass(slots=True)
class Shown:
    """One page as it was drawn last; ``words`` are title and help by panel, ``numbers`` what and rows by chart or
    table."""

    page: str
    question: str
    about: About
    words: dict[str, tuple[str, str]] = field(default_factory=dict)
    numbers: dict[str, tuple[str, Sequence[Mapping[str, Any]]]] = field(default_factory=dict)
    titles: list[str] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)


def now() -> Shown:
    """Return what is shown; an empty page outside of one."""
    found: Shown | None = st.session_state.get(KEY)
    return found if found is not None else Shown(page="", question="", about=NOWHERE)


def filters() -> dict[str, str]:
    """Return the filters that the address carries."""
    return {name: value for name, value in st.query_params.to_dict().items() if name not in APART}


def begin(context: Context, page: str, question: str, *, newest_at: int | None) -> Shown:
    """Begin a page anew; the words of its panels stay known until they are drawn again."""
    before = now()
    about = About(
        page=page,
        environment=context.environment,
        start=None,
        end=None,
        zone="UTC",
        read_at=context.now,
        newest_at=newest_at,
        filters=filters(),
    )
    found = Shown(page=page, question=question, about=about, words=before.words if before.page == page else {})
    st.session_state[KEY] = found
    return found


def ranged(context: Context) -> None:
    """Take up the range that the page reads; a page that refreshes itself does so each time."""
    found = now()
    about = found.about
    found.about = About(
        page=about.page,
        environment=about.environment,
        start=context.span.start,
        end=context.span.end,
        zone=context.span.zone,
        read_at=context.now,
        newest_at=about.newest_at,
        filters=about.filters,
    )


def keep(key: str, alt: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Take up the numbers of a chart or a table."""
    now().numbers[key] = (alt, rows)


@contextmanager
def within(key: str, title: str, help: str) -> Iterator[list[str]]:  # noqa: A002  # Streamlit's own word
    """Take up a panel's words; the tables drawn within it are in the list that is given."""
    found = now()
    if title:
        found.words[key] = (title, help)
    outer, found.tables = found.tables, []
    found.titles.append(title)
    mine = found.tables
    try:
        yield mine
    finally:
        found.tables = outer
        found.titles.pop()
