"""Toggles: what an app can switch, for whom it is on, and the form that writes them."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboard.context import Context
from dashboard.panels import changes, toggle_form, toggles
from dashboard.text import safe
from dashboard.widgets import choose, empty, panel


def page(context: Context) -> None:
    """Draw the page."""
    view: Mapping[str, Any] | None = None
    with panel(
        "Toggles",
        help="An app asks for a toggle by its key and gets a value: the first rule that holds for the person, else the "
        "default. Reach is which share of everyone rules without a condition may give something else.",
        key="list",
    ):
        found = context.control.get("/toggles")["toggles"]
        if found:
            toggles.listed(found)
        else:
            empty("No toggle is written yet.", "The form below writes the first; an app asks `POST /v1/toggles`.")
        view = choose("toggle", found)
        if view is not None:
            toggles.steps(context, view)
    left, right = st.columns([3, 2])
    with (
        left,
        panel(
            "Write a toggle" if view is None else f"Edit {safe(view['toggle']['key'])}",
            help="Nothing is written before a command is given. More than ten points more reach, or past the half, "
            "wants a second person.",
            key="form",
        ),
    ):
        toggle_form.author(context, view)
    with right:
        with panel("Try it", help="What somebody described here would get; nobody's data are read.", key="try"):
            toggles.tried(context, view)
        with panel("Proposed changes", help="Of toggles: who asked, who agreed.", key="changes"):
            changes.listed(context, kinds="toggle.")
