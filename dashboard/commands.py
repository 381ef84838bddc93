"""Commands: a reason, the object's key where the danger asks for it, then the control API decides."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboard.context import Context
from dashboard.text import count, safe
from dashboard.widgets import failure
from storage.errors import FairleadError, NeedsApproval
from storage.records.access import Scope

SHORTEST_REASON = 10


def done(answer: Any) -> str:
    """Say what a command did, in trusted words."""
    found = answer if isinstance(answer, Mapping) else {}
    if "acknowledged_by" in found:
        replicas = len(found["acknowledged_by"])
        late = len(found.get("waiting_for") or ())
        waited = f"{count(found.get('waited_ms'))} ms"
        if found.get("complete"):
            return f"Done. {replicas} of {replicas} replicas enforce it, after {waited}."
        return f"Recorded. {replicas} of {replicas + late} replicas said so within {waited}; the others follow."
    if found.get("revision") is not None:
        return f"Done: revision {found['revision']}. Engines take it up within a second."
    if found.get("state"):
        return f"Done: {safe(found['state']).replace('_', ' ')}."
    return "Done."


def command(
    context: Context,
    label: str,
    *,
    path: str,
    key: str,
    scope: Scope,
    what: str,
    body: Mapping[str, Any] | None = None,
    icon: str | None = None,
    etag: str | None = None,
    confirm: str | None = None,
    primary: bool = False,
) -> Any:
    """Offer a command to those who may give it; return the control API's answer once it was given, else None.

    ``what`` says in trusted words what will happen; ``confirm`` is the key that has to be typed.
    """
    allowed = context.me.may(scope)
    if not allowed:
        st.button(label, key=f"{key}-closed", icon=icon, disabled=True, help=f"Needs the permission {scope.value}.")
        return None
    with st.popover(label, icon=icon, type="primary" if primary else "secondary", key=f"{key}-open"):
        st.markdown(what)
        with st.form(f"{key}-form", border=False):
            reason = st.text_input(
                "Reason", key=f"{key}-reason", help="At least 10 characters. It stands in the ledger, for good."
            )
            typed = ""
            if confirm is not None:
                typed = st.text_input(
                    f"Type {safe(confirm)} to confirm", key=f"{key}-confirm", help="So that the right thing is changed."
                )
            given = st.form_submit_button(label, type="primary", icon=icon)
        if not given:
            return None
        if len(reason.strip()) < SHORTEST_REASON:
            st.warning("Say why in at least 10 characters.", icon=":material/edit:")
            return None
        order = dict(body or {}) | {"reason": reason.strip()} | ({"confirm": typed} if confirm is not None else {})
        return send(context, path, order, key=key, etag=etag)


def send(context: Context, path: str, order: Mapping[str, Any], *, key: str, etag: str | None = None) -> Any:
    """Give a command and show how it went; None where it was refused."""
    try:
        answer = context.control.post(path, order, etag=etag)
    except NeedsApproval as error:
        st.warning(f"{safe(error, limit=300)}. Propose it as a change; someone else approves.", icon=":material/group:")
        return None
    except FairleadError as error:
        failure(error, f"{key}-sent")
        return None
    st.cache_data.clear()
    st.success(done(answer), icon=":material/check:")
    return answer


def kill_switch(context: Context, *, on: bool) -> None:
    """Offer the kill switch: one click and a reason to throw it; lifting it asks for the environment's name."""
    if on:
        command(
            context,
            "Lift kill switch",
            path="/kill",
            key="kill",
            scope=Scope.POLICY_APPLY,
            body={"on": False},
            icon=":material/power_settings_new:",
            confirm=context.environment,
            what="Everyone gets the default experience now. Lifting it serves policies again.",
        )
    else:
        command(
            context,
            "Kill switch",
            path="/kill",
            key="kill",
            scope=Scope.POLICY_APPLY,
            body={"on": True},
            icon=":material/power_settings_new:",
            what="Serves the default experience to everyone, on every replica, within a second. "
            "Nothing is lost; it can be lifted.",
        )
