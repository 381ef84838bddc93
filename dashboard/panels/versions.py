"""Versions of a policy and how two of them differ."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboard.context import Context
from dashboard.text import plain, safe, stamp
from dashboard.widgets import empty, note, table


def listed(context: Context, policy: Mapping[str, Any]) -> None:
    """Draw the versions; the document of one on request."""
    found = policy["versions"]
    if not found:
        empty("No version yet.", "`fairlead policy draft` writes one.")
        return
    table(
        [
            {
                "v": one["version"],
                "state": one["state"],
                "note": one["note"],
                "author": one["author"],
                "at (UTC)": stamp(one["created_at"], seconds=False),
            }
            for one in found
        ],
        key="versions-table",
        alt="Versions of the policy with state, author and digest",
    )
    number = st.selectbox(
        "Document of",
        [None, *[one["version"] for one in found]],
        format_func=named,
        key="document",
        width=180,
        help="The whole document as engines get it.",
    )
    if number is not None:
        answer = context.control.get(f"/policies/{policy['key']}/versions/{number}")
        note(f"digest {safe(answer['digest'])}")
        st.json(answer["document"], expanded=2)


def shown(value: Any) -> str:
    """Return one side of a field; a field that is not there is a dash.

    >>> shown(None), shown("popular")
    ('–', 'popular')
    """
    return "–" if value is None else plain(value, 200)


def named(number: int | None) -> str:
    """Return a version's short name."""
    return "–" if number is None else f"v{number}"


def difference(context: Context, policy: Mapping[str, Any]) -> None:
    """Draw how two versions differ."""
    numbers = sorted((one["version"] for one in policy["versions"]), reverse=True)
    if len(numbers) < 2:
        empty("One version has nothing to differ from.", "Draft a second one.")
        return
    with st.container(horizontal=True):
        rolled = (policy["rollout"] or {}).get("version")
        new = st.selectbox(
            "Version",
            numbers,
            index=numbers.index(rolled) if rolled in numbers else 0,
            format_func=named,
            key="version",
            bind="query-params",
            width=110,
            help="The version looked at.",
        )
        others = [one for one in numbers if one != new]
        stable = policy["stable"]
        old = st.selectbox(
            "Against",
            others,
            index=others.index(stable) if stable in others else 0,
            format_func=named,
            key="against",
            bind="query-params",
            width=110,
            help="The version compared with.",
        )
    fields = context.control.get(f"/policies/{policy['key']}/diff", **{"from": old, "to": new})["fields"]
    if not fields:
        st.markdown(f"v{old} and v{new} do the same.")
        return
    for one in fields:
        st.markdown(f"- {safe(one['sentence'], limit=300)}")
    table(
        [{"field": one["path"], f"v{old}": shown(one["before"]), f"v{new}": shown(one["after"])} for one in fields],
        key="diff-table",
        alt="Fields that differ between the two versions",
    )
