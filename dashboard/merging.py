"""A form stays on what it began from: what others change meanwhile is held against it field by field, and merged.

Each form of a stored document keeps what stood when it was begun, with its tag, in this session and in its draft. While
nothing was filled in it follows what stands; from the first change on it stays, until its author decides.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import streamlit as st

from dashboard import drafts
from dashboard.commands import turn
from dashboard.context import Context
from governance.diff import ThreeWay

BEGUN = "forms begun"
"""Where a session keeps what its forms began from, by their names."""
THEIRS, MINE = "theirs", "mine"
NEVER = frozenset({"version"})
"""What every edit changes by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What a form began from: the document that stood and its tag. ``fields`` is what it is drawn with (``merged``:
    not what stood, but what was made of it since), ``key`` what the keys of its fields begin with."""

    name: str
    prefix: str
    stands: Mapping[str, Any] | None
    etag: str
    fields: Mapping[str, Any]
    key: str
    merged: bool = False


def started(context: Context, noun: str, view: Mapping[str, Any] | None, *, prefix: str = "") -> Start:
    """Return what the form of a ``noun`` began from; ``view`` is what the control API shows of it now, the document
    under ``noun`` with its ``etag``; None for something new. Its fields' keys begin with ``prefix``, else the noun."""
    stands = view[noun] if view else None
    name = f"{noun}.{stands['key']}" if stands else f"{noun}-new"
    prefix = f"{prefix or noun}-{stands['key'] if stands else 'new'}"
    tag = str(view["etag"]) if view else ""
    held = _begun().get(name)
    if held is None:
        kept = drafts.found(context, name) if stands is not None else None
        before, old = (kept["document"], str(kept["etag"])) if kept else (stands, tag)
        return _begin(name, prefix, before, old)
    moved = held.etag != tag or held.merged or held.key != _keyed(prefix, held.stands, held.etag)
    return _begin(name, prefix, stands, tag) if moved and not drafts.touched(name) else held


def _begun() -> dict[str, Start]:
    begun: dict[str, Start] = st.session_state.setdefault(BEGUN, {})
    return begun


def _keyed(prefix: str, stands: Mapping[str, Any] | None, etag: str) -> str:
    if stands is None:
        return turn(prefix)
    return turn(f"{prefix}-{stands.get('version', etag[:12])}")


def _begin(
    name: str, prefix: str, stands: Mapping[str, Any] | None, etag: str, fields: Mapping[str, Any] | None = None
) -> Start:
    start = _begun()[name] = Start(
        name=name,
        prefix=prefix,
        stands=stands,
        etag=etag,
        fields=(stands or {}) if fields is None else fields,
        key=_keyed(prefix, stands, etag),
        merged=fields is not None,
    )
    return start


def noted(start: Start) -> str:
    """Return what a draft keeps of what its form began from; empty for something new."""
    if start.stands is None:
        return ""
    return orjson.dumps({"document": dict(start.stands), "etag": start.etag}).decode()


def go_on(start: Start, stands: Mapping[str, Any], etag: str, fields: Mapping[str, Any]) -> None:
    """Begin a form again on what stands now, filled with ``fields``; the page is drawn anew."""
    st.session_state["turn"] = st.session_state.get("turn", 0) + 1
    made = _begin(start.name, start.prefix, stands, etag, fields)
    drafts.rebase(start.key, made.key)
    st.rerun()


def sides(
    found: Mapping[str, Any], now: Mapping[str, Any], mine: Mapping[str, Any], *, but: Collection[str] = NEVER
) -> tuple[ThreeWay, ...]:
    """Compare what a form began from, what stands now and what was filled in, one row for each field of a document that
    is not alike everywhere. A field that the form has not is as it was found.

    >>> rows = sides({"a": 1, "b": [1], "version": 1}, {"a": 2, "b": [1], "version": 2}, {"a": 3, "b": [1, 2]})
    >>> [(row.path, row.now, row.wanted, row.moved, row.clash) for row in rows]
    [('a', 2, 3, True, True), ('b', [1], [1, 2], False, False)]
    """
    rows = []
    for name in dict.fromkeys([*found, *now, *mine]):
        was, stands = found.get(name), now.get(name)
        wanted = mine.get(name, was)
        if name not in but and not was == stands == wanted:
            moved, asked = was != stands, was != wanted
            clash = moved and asked and stands != wanted
            rows.append(ThreeWay(path=name, found=was, now=stands, wanted=wanted, moved=moved, clash=clash))
    return tuple(rows)


def first(row: ThreeWay) -> str:
    """Return whose value a field has before anybody chose: theirs where only they changed it."""
    return THEIRS if row.moved and not row.clash and row.wanted == row.found else MINE


def merged(
    now: Mapping[str, Any], mine: Mapping[str, Any], rows: Collection[ThreeWay], taken: Mapping[str, str]
) -> dict[str, Any]:
    """Return what stands now with the fields that are ``mine``; ``taken`` says whose each field is that others changed.

    >>> found, now, mine = {"a": 1, "b": 1, "c": 1}, {"a": 2, "b": 2, "c": 1}, {"a": 3, "b": 1, "c": 4}
    >>> merged(now, mine, sides(found, now, mine), {"a": "theirs"})
    {'a': 2, 'b': 2, 'c': 4}
    """
    own = {row.path: row.wanted for row in rows if taken.get(row.path, first(row)) == MINE}
    return {**now, **{name: value for name, value in own.items() if name in mine or name in now}}
