"""Commands: a reason, the object's key where the danger asks for it, then the control API decides."""

from collections.abc import Mapping
from typing import Any, Literal

import streamlit as st

from dashboard import drafts
from dashboard.context import Context
from dashboard.text import count, safe
from dashboard.widgets import failure
from storage.errors import FairleadError, NeedsApproval, Stale
from storage.records.access import Scope

SHORTEST_REASON = 10
OVERTAKEN = (
    "Somebody else changed this while you looked. Nothing was sent: look at what stands now, then give it again."
)
Method = Literal["post", "put", "delete"]


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
        return f"Done: {safe(str(found['state']).replace('_', ' '))}."
    return "Done."


def turn(key: str) -> str:
    """Return ``key`` for this turn. A command that was given begins a new one: its form is closed and empty again."""
    now = st.session_state.get("turn", 0)
    return f"{key}-{now}" if now else key


def last_word() -> None:
    """Say once how the last command went, wherever on the page one is."""
    if said := st.session_state.pop("said", None):
        st.toast(said, icon=":material/check:", duration="long")


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
    method: Method = "post",
    keep: str | None = None,
) -> None:
    """Offer a command to those who may give it; once it is given, the page is drawn anew.

    ``what`` says in trusted words what will happen; ``confirm`` is the key that has to be typed; ``put`` and ``delete``
    want the ``etag`` of what was read, and nothing is sent where that moved since it was seen. What is answered is held
    in this session under ``keep``.
    """
    allowed = context.me.may(scope)
    if not allowed:
        st.button(label, key=f"{key}-closed", icon=icon, disabled=True, help=f"Needs the permission {scope.value}.")
        return
    key = turn(key)
    seen = st.session_state.get(f"{key} seen", etag)
    st.session_state[f"{key} seen"] = etag
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
            return
        if seen != etag:
            st.warning(OVERTAKEN, icon=":material/history:")
            return
        if len(reason.strip()) < SHORTEST_REASON:
            st.warning("Say why in at least 10 characters.", icon=":material/edit:")
            return
        order = dict(body or {}) | {"reason": reason.strip()} | ({"confirm": typed} if confirm is not None else {})
        send(context, path, order, key=key, etag=etag, method=method, keep=keep)


def send(
    context: Context,
    path: str,
    order: Mapping[str, Any],
    *,
    key: str,
    etag: str | None = None,
    method: Method = "post",
    keep: str | None = None,
) -> None:
    """Give a command: a refusal is told where it was asked for, what was done on the page drawn anew."""
    control, once = context.control, drafts.once(key, (method, path, order, etag))
    try:
        if method == "post":
            answer = control.post(path, order, etag=etag, once=once)
        else:
            answer = (control.put if method == "put" else control.delete)(path, order, etag=etag or "", once=once)
    except NeedsApproval as error:
        st.warning(f"{safe(error, limit=300)}.", icon=":material/group:")
        return
    except Stale:
        st.session_state["said"] = OVERTAKEN
        st.rerun()
    except FairleadError as error:
        failure(error, f"{key}-sent")
        return
    drafts.discard(context, key)
    if keep is not None:
        st.session_state[keep] = answer
    st.cache_data.clear()
    st.session_state["said"] = done(answer)
    st.session_state["turn"] = st.session_state.get("turn", 0) + 1
    st.rerun()


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
