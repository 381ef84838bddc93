"""Roles on the page: what each may, who holds it; own ones written, within what their author may."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard import drafts, merging
from dashboard.commands import command
from dashboard.context import Context
from dashboard.merging import Start
from dashboard.panels.overtaken import overtaken
from dashboard.text import plain, safe
from dashboard.widgets import choose, note, said, table
from storage.records.access import ROLES, Scope
from storage.records.roles import NEVER

LIKE = ("marketer", "data_scientist", "ops", "admin", "service")


def listed(roles: Sequence[Mapping[str, Any]]) -> None:
    """Draw every role with what it may."""
    rows = [
        {
            "role": view["role"]["key"],
            "title": view["role"]["title"] or ("built in" if view["built_in"] else "–"),
            "like": "–" if view["built_in"] else view["role"]["like"],
            "people": len(view["holders"]),
            "held by": ", ".join(view["holders"]) or "nobody",
            "may": " ".join(view["role"]["scopes"]),
        }
        for view in roles
    ]
    table(rows, key="role-table", alt="Roles, what each may, and who holds tokens of it")


def author(context: Context, roles: Sequence[Mapping[str, Any]]) -> None:
    """Draw the form of a new role, or of one of the installation's own."""
    view = choose("role", [one for one in roles if not one["built_in"]])
    start = merging.started(context, "role", view)
    before = start.stands
    with drafts.kept(context, start.name, key=start.key, began=merging.noted(start)):
        role = _fields(context, start.fields, start.key)
    if overtaken(context, start, view, "role", role):
        return
    if not role["key"]:
        note("Name a key to see what this role would take.")
        return
    if not role["scopes"]:
        note("A role carries at least one permission.")
        return
    if before is not None and role == {name: before[name] for name in role}:
        note("This is the role as it stands; change something to save it.")
    else:
        _commands(context, role, start)
    if view is not None and before is not None:
        _end(context, view, before["key"])


def _fields(context: Context, old: Mapping[str, Any], key: str) -> dict[str, Any]:
    left, right = st.columns(2)
    name = old.get("key") or left.text_input(
        "Key", key=f"{key}-key", placeholder="helpers", help="Its name in tokens and the ledger, for good."
    )
    title = right.text_input("Title", value=old.get("title", ""), key=f"{key}-title", help="What people call it.")
    like = left.selectbox(
        "Like",
        LIKE,
        LIKE.index(old.get("like", "marketer")),
        format_func=lambda one: one.replace("_", " "),
        key=f"{key}-like",
        help="The built-in role whose menu and first page its holders see.",
    )
    mine = sorted(one for one in context.me.scopes if one not in NEVER)
    known = sorted({*mine, *old.get("scopes", ())})
    scopes = st.multiselect(
        "It may",
        known,
        list(old.get("scopes", ())),
        key=f"{key}-scopes",
        help="You can give what you have yourself, and nothing else.",
    )
    return {"key": str(name).strip(), "title": title.strip(), "like": like, "scopes": sorted(scopes)}


def wider(role: Mapping[str, Any], before: Mapping[str, Any] | None) -> list[str]:
    """Return what a role adds: to itself as it was, or, where it is new, to the built-in role that it resembles.

    >>> wider({"like": "marketer", "scopes": ["read", "policy:apply"]}, None)
    ['policy:apply']
    """
    known = ROLES[role["like"]] if before is None else before["scopes"]
    return sorted(set(role["scopes"]) - {str(one) for one in known})


def _commands(context: Context, role: Mapping[str, Any], start: Start) -> None:
    key, old = start.key, start.stands is not None
    name, added = str(role["key"]), wider(role, start.stands)
    if added:
        told = "more than it does now" if old else f"more than a {safe(str(role['like']).replace('_', ' '))}"
        said("warn", f"It may {told}: {safe(', '.join(added), limit=300)}. A second admin must agree: propose it.")
    else:
        said("pass", "It may no more than " + ("now." if old else "the role that it resembles."))
    with st.container(horizontal=True):
        command(
            context,
            "Save" if old else "Create role",
            path=f"/roles/{name}" if old else "/roles",
            method="put" if old else "post",
            key=f"{key}-save",
            scope=Scope.ADMIN,
            body={"role": dict(role)},
            etag=start.etag or None,
            icon=":material/check:",
            confirm=name if added else None,
            primary=not added,
            what="What is taken away ends for its holders within a second; tokens keep what they were given otherwise."
            if old
            else "Nobody has it until a token of it is made.",
        )
        command(
            context,
            "Propose",
            path="/changes",
            key=f"{key}-propose",
            scope=Scope.ADMIN,
            body={"kind": "role.edit" if old else "role.create", "key": name, "payload": {"role": dict(role)}},
            icon=":material/edit_note:",
            primary=bool(added),
            what="Drafts a change that another admin approves.",
        )


def _end(context: Context, view: Mapping[str, Any], name: str) -> None:
    if view["holders"]:
        note(f"Held by {safe(plain(', '.join(view['holders']), 200), limit=200)}; who holds it no more can be deleted.")
        return
    command(
        context,
        "Delete role",
        path=f"/roles/{name}",
        method="delete",
        key=f"role-delete-{name}",
        scope=Scope.ADMIN,
        etag=view["etag"],
        icon=":material/delete:",
        what="Nobody holds a token of it. It can be written anew.",
    )
