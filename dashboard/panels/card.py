"""The card of a policy version: what it is for, its limits, its owner; the facts beside it."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboard import drafts
from dashboard.commands import command, turn
from dashboard.context import Context
from dashboard.panels.versions import named
from dashboard.text import ago, safe
from dashboard.widgets import empty, note, said
from storage.records.access import Scope

FIELDS: Mapping[str, tuple[str, str]] = {
    "intended_use": ("What it is for", "Whom it serves, where, and why. At least 20 characters."),
    "out_of_scope": ("What it is not for", "Uses that nobody should make of it."),
    "people": ("People considered", "Groups that it may treat differently, and what was looked at."),
    "limits": ("Known limits", "Where it does badly, or nobody knows. At least 20 characters."),
    "owner": ("Owner", "Who answers for it."),
}


def written(context: Context, policy: Mapping[str, Any]) -> None:
    """Draw the card of a version, and the form that writes it."""
    numbers = sorted((one["version"] for one in policy["versions"]), reverse=True)
    if not numbers:
        empty("No version yet.", "`fairlead policy draft` writes one.")
        return
    number = st.selectbox(
        "Card of", numbers, format_func=named, key="card-version", width=140, help="Each version has its own card."
    )
    path = f"/policies/{policy['key']}/versions/{number}/card"
    told = context.control.get(path)
    if told["missing"]:
        names = ", ".join(FIELDS[name][0].lower() for name in told["missing"])
        said("warn", f"It stays in draft until this is written: {safe(names)}.")
    else:
        said("pass", f"written by {safe(told['written_by'])} {ago(told['updated_at'], context.now)}")
    st.download_button(
        "Card as a document",
        data=told["markdown"],
        file_name=f"{policy['key']}-v{number}-card.md",
        mime="text/markdown",
        icon=":material/download:",
        key="card-download",
        on_click="ignore",
    )
    if not context.me.may(Scope.POLICY_PROPOSE):
        note("Cards are written by those who may propose changes.")
        return
    before = told["card"] or {}
    key = turn(f"card-{policy['key']}-{number}")
    card: dict[str, str] = {}
    with drafts.kept(context, f"card-{policy['key']}-{number}", key=key):
        for name, (label, help_text) in FIELDS.items():
            ask = st.text_input if name == "owner" else st.text_area
            card[name] = str(ask(label, value=str(before.get(name) or ""), key=f"{key}-{name}", help=help_text) or "")
    command(
        context,
        "Save card",
        path=path,
        method="put",
        key=f"{key}-save",
        scope=Scope.POLICY_PROPOSE,
        body={"card": card},
        etag=told["etag"],
        icon=":material/check:",
        what="Keeps the card with the facts as they are now; what it said before stays in the ledger.",
    )
