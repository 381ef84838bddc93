"""Conditions for people: a few lines of name, comparison and value, or JSON where that is not enough."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboard.text import plain

WORDS: Mapping[str, str] = {
    "$eq": "is",
    "$ne": "is not",
    "$gte": "is at least",
    "$gt": "is above",
    "$lte": "is at most",
    "$lt": "is below",
    "$in": "is one of",
    "$nin": "is none of",
}
LISTED = frozenset({"$in", "$nin"})
MOST = 4


def lines(condition: Mapping[str, Any]) -> list[tuple[str, str, str]] | None:
    """Return a condition as lines of name, operator and value; None where it says more than lines can.

    >>> lines({"age": {"$gte": 30}, "mood": "calm"})
    [('age', '$gte', '30'), ('mood', '$eq', 'calm')]
    >>> lines({"$or": [{"age": 3}]}) is None
    True
    """
    found: list[tuple[str, str, str]] = []
    for name, demand in condition.items():
        pairs = demand.items() if isinstance(demand, Mapping) else [("$eq", demand)]
        for operator, value in pairs:
            held = value if operator in LISTED else [value]
            if name.startswith("$") or operator not in WORDS or not isinstance(held, list):
                return None
            if any(isinstance(one, Mapping | list) or one is None for one in held):
                return None
            found.append((name, operator, ", ".join(_text(one) for one in held)))
    whole = _joined(found, {})
    return found if len(found) <= MOST and _joined(lines_back(whole), {}) == whole else None


def lines_back(condition: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return the lines of a condition that lines made."""
    return [
        (name, operator, ", ".join(_text(one) for one in (value if isinstance(value, list) else [value])))
        for name, demand in condition.items()
        for operator, value in demand.items()
    ]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)


def worth(text: str, kind: str) -> Any:
    """Return a typed value as what it is: a number, true or false, else text.

    >>> worth("30", "number"), worth("30", "string"), worth("true", "boolean"), worth("2.5", "any")
    (30, '30', True, 2.5)
    """
    word = text.strip()
    if kind in ("boolean", "any") and word.lower() in ("true", "false"):
        return word.lower() == "true"
    if kind in ("number", "any"):
        try:
            number = float(word)
        except ValueError:
            return word
        return int(number) if number.is_integer() and "." not in word else number
    return word


def _joined(found: list[tuple[str, str, str]], kinds: Mapping[str, str]) -> dict[str, Any]:
    condition: dict[str, Any] = {}
    for name, operator, text in found:
        kind = kinds.get(name, "any")
        value = [worth(one, kind) for one in text.split(",")] if operator in LISTED else worth(text, kind)
        condition.setdefault(name, {})[operator] = value
    return condition


def ask(
    label: str,
    before: Mapping[str, Any],
    kinds: Mapping[str, str],
    *,
    key: str,
    nobody: str,
    help: str,  # noqa: A002  # Streamlit's own word
) -> dict[str, Any]:
    """Ask for lines that must all hold; a new line comes when the last one is filled. ``nobody`` is what an empty
    condition means."""
    held = lines(before) or []
    st.markdown(f"**{label}**", help=help)
    found: list[tuple[str, str, str]] = []
    for place in range(MOST):
        name, operator, text = held[place] if place < len(held) else ("", "$eq", "")
        known = list(dict.fromkeys([name, *kinds])) if name else list(kinds)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            chosen = st.selectbox(
                "What" if place == 0 else "and",
                known,
                index=known.index(name) if name else None,
                placeholder=nobody if place == 0 else "nothing more",
                accept_new_options=True,
                format_func=lambda one: plain(one, 60),
                key=f"{key}-name-{place}",
                width=220,
                help="What is known where a rule is asked; other names may be typed.",
            )
            if not chosen:
                break
            compared = st.selectbox(
                "how",
                list(WORDS),
                index=list(WORDS).index(operator),
                format_func=WORDS.__getitem__,
                key=f"{key}-how-{place}",
                width=130,
                help="How it is compared.",
            )
            given = st.text_input(
                "value", value=text, key=f"{key}-value-{place}", width=160, help="Of several, with commas between."
            )
        if given.strip():
            found.append((chosen, compared or "$eq", given))
    return _joined(found, kinds)
