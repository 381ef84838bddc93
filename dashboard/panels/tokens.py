"""Tokens on the page: who holds which, what they may, when each was last used; made once, revoked for good."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard.commands import command, turn
from dashboard.context import Context
from dashboard.text import ago, plain, safe, stamp
from dashboard.widgets import empty, note, table
from storage.records.access import Scope
from storage.records.clock import DAY
from storage.records.roles import NEVER

LOGINS = ("session:", "once:")
EXPIRES: Mapping[str, int | None] = {
    "30 days": 30,
    "a day": 1,
    "90 days": 90,
    "a year": 365,
    "never": None,
}
"""Days until a new token ends; the first is taken unless somebody chooses."""
MINTED = "minted"
UNUSED = 90 * DAY
"""A token that nobody used for so long may as well go."""


def alive(token: Mapping[str, Any], now: int) -> bool:
    """Tell whether a token opens anything now."""
    return token["revoked_at"] is None and (token["expires_at"] is None or token["expires_at"] > now)


def people(context: Context, found: Sequence[Mapping[str, Any]]) -> None:
    """Draw who holds tokens that are alive."""
    by_name: dict[str, list[Mapping[str, Any]]] = {}
    for one in found:
        if alive(one, context.now):
            by_name.setdefault(one["principal"], []).append(one)
    if not by_name:
        empty("Nobody holds a token.", "Create the first one beside this.")
        return
    rows = []
    for name, held in sorted(by_name.items()):
        used = max((one.get("used_at") or 0 for one in held), default=0)
        rows.append(
            {
                "person or service": name,
                "roles": ", ".join(sorted({one["role"] for one in held})),
                "tokens": sum(not one["name"].startswith(LOGINS) for one in held),
                "signed in": sum(one["name"].startswith(LOGINS[0]) for one in held),
                "last seen": ago(used, context.now) if used else "never",
            }
        )
    table(rows, key="people-table", alt="People and services that hold tokens")


def listed(context: Context, found: Sequence[Mapping[str, Any]]) -> None:
    """Draw the tokens, those of logins apart, with what ends one."""
    wanted = [one for one in found if not one["name"].startswith(LOGINS)]
    if st.toggle("Ended ones too", key="ended", help="Tokens that were revoked or have expired stay listed for good."):
        shown = wanted
    else:
        shown = [one for one in wanted if alive(one, context.now)]
    if not shown:
        empty("No token is alive.", "Create one below; `fairlead token create` does the same.")
        return
    table([row(one, context.now) for one in shown], key="token-table", alt="Tokens, newest first")
    idle = [one for one in shown if _idle(one, context.now)]
    if idle:
        note(f":material/change_history: {len(idle)} of them nobody used for 90 days; what is not needed is revoked.")
    by_id = {one["token_id"]: one for one in shown if alive(one, context.now)}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            "Token",
            [None, *by_id],
            format_func=lambda one: (
                "choose one to end it"
                if one is None
                else plain(f"{by_id[one]['name']}, of {by_id[one]['principal']}, {one}", 80)
            ),
            key="token",
            width=360,
            help="By name, holder and id.",
        )
        if chosen is not None:
            who = safe(by_id[chosen]["principal"])
            command(
                context,
                "Revoke",
                path=f"/tokens/{chosen}/revoke",
                key=f"revoke-{chosen}",
                scope=Scope.ADMIN,
                icon=":material/block:",
                what=f"Ends this token of {who} for good, with every sign-in that came of it, on control and on each "
                "replica within a second.",
            )


def _idle(one: Mapping[str, Any], now: int) -> bool:
    return alive(one, now) and now - max(one.get("used_at") or 0, one["created_at"]) > UNUSED


def row(one: Mapping[str, Any], now: int) -> dict[str, Any]:
    """Return one token as the table shows it."""
    ends = one["expires_at"]
    state = "alive" if alive(one, now) else "revoked" if one["revoked_at"] is not None else "expired"
    return {
        "person or service": one["principal"],
        "name": one["name"],
        "role": one["role"],
        "may": " ".join(one["scopes"]),
        "last used": ago(one["used_at"], now) if one.get("used_at") else "never",
        "ends (UTC)": "never" if ends is None else stamp(ends, seconds=False),
        "state": state,
        "id": one["token_id"],
    }


def fresh() -> None:
    """Show a token that was just made, once: nobody can show it again."""
    made = st.session_state.get(MINTED)
    if not made:
        return
    with st.container(border=True, key="fresh-token"):
        st.markdown(
            f"**The new token of {safe(made['principal'])}.** Copy it now: it is shown here alone, and not again."
        )
        st.code(str(made["token"]), language=None, wrap_lines=True)
        if st.button("I have kept it", key="kept", icon=":material/check:", help="Takes the token off this page."):
            st.session_state.pop(MINTED)
            st.rerun()


def make(context: Context, roles: Sequence[Mapping[str, Any]]) -> None:
    """Ask what a new token is for, and what it may: no more than its role, and no more than who makes it."""
    by_key = {view["role"]["key"]: view["role"] for view in roles if view["role"]["key"] != "end_user"}
    left, right = st.columns(2)
    principal = left.text_input(
        "Person or service", key=turn("token-principal"), help="Who holds it; it stands in the ledger."
    )
    name = right.text_input(
        "What it is for", key=turn("token-name"), help="So that others know later what may be revoked."
    )
    role = left.selectbox(
        "Role",
        list(by_key),
        format_func=lambda one: plain(one, 60),
        key=turn("token-role"),
        help="What it may at most.",
    )
    ends = right.selectbox(
        "Ends after", list(EXPIRES), key=turn("token-ends"), help="A token that ends by itself is safer."
    )
    held = sorted(by_key[role]["scopes"]) if role else []
    mine = [one for one in held if one in context.me.scopes or one in NEVER]
    scopes = st.multiselect(
        "It may",
        mine,
        mine,
        key=turn(f"token-scopes-{role}"),
        help="Take away what it does not need; nothing can be added.",
    )
    if len(mine) < len(held):
        note(f"You do not have {safe(', '.join(sorted(set(held) - set(mine))), limit=300)}, so you cannot give it.")
    if not principal.strip() or not name.strip() or not scopes:
        note("Say who holds it and what it is for, and leave it at least one permission.")
        return
    days = EXPIRES[ends or "30 days"]
    body = {"name": name.strip(), "principal": principal.strip(), "role": role, "scopes": scopes}
    command(
        context,
        "Create token",
        path="/tokens",
        key="token-make",
        scope=Scope.ADMIN,
        body=body if days is None else {**body, "expires_in_s": days * DAY // 1_000_000},
        icon=":material/key:",
        primary=True,
        keep=MINTED,
        what=f"Makes a token of {safe(principal.strip())}. It is shown once; only its hash is kept.",
    )
