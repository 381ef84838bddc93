"""The form of a frequency cap; what it would say and meet is told while it is written."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboard import drafts, merging
from dashboard.cached import read
from dashboard.commands import command
from dashboard.context import Context
from dashboard.merging import Start
from dashboard.panels.overtaken import overtaken
from dashboard.queries import rules as vocabulary
from dashboard.text import safe
from dashboard.widgets import empty, note, said
from storage.records.access import Scope

UNITS = ("minute", "hour", "day", "week", "month", "lifetime")
PER = {"item": "each item", "campaign": "each campaign", "attribute": "each value of an attribute", "any": "anything"}
WINDOWS = {"rolling": "rolling: the last so long", "calendar": "calendar: since midnight, Monday, the 1st"}


def author(context: Context, view: Mapping[str, Any] | None) -> None:
    """Draw the form of a new cap, or of one that is there, with its preview and the commands."""
    if not context.me.may(Scope.CAMPAIGN_WRITE):
        empty("Caps are written by those who run campaigns.", f"It needs the permission {Scope.CAMPAIGN_WRITE.value}.")
        return
    start = merging.started(context, "cap", view)
    key, before = start.key, start.stands
    with drafts.kept(context, start.name, key=key, began=merging.noted(start)):
        cap = fields(context, start.fields, key)
    if overtaken(context, start, view, "cap", cap):
        return
    if not cap["key"]:
        note("Name a key to see what this cap would say.")
        return
    if before is not None and cap == before:
        note("This is the cap as it stands; change something to see what it would say.")
    else:
        told = context.control.post("/caps/validate", {"cap": cap})
        preview(told)
        if not told["problems"]:
            save(context, cap, start, told["level"])
    if view is not None:
        undo(context, view)


def fields(context: Context, old: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Draw the fields and return the cap that they say."""
    name = old.get("key") or st.text_input(
        "Key", key=f"{key}-key", placeholder="daily", help="Its name in records, metrics and the ledger, for good."
    )
    left, right, third = st.columns(3)
    limit = left.number_input(
        "At most",
        0,
        1_000,
        int(old.get("limit", 3)),
        key=f"{key}-limit",
        help="Impressions; this many are still shown.",
    )
    number = right.number_input("Within", 1, 400, int(old.get("count", 1)), key=f"{key}-count", help="So many units.")
    unit = third.selectbox("Unit", UNITS, UNITS.index(old.get("unit", "day")), key=f"{key}-unit", help="Of time.")
    per = st.selectbox(
        "Of", list(PER), list(PER).index(old.get("per", "item")), format_func=PER.__getitem__, key=f"{key}-per",
        help="What is counted by itself.",
    )  # fmt: skip
    attribute = ""
    if per == "attribute":
        attribute = st.text_input(
            "Attribute", value=old.get("attribute", ""), key=f"{key}-attribute", help="Of items, such as brand."
        )
    kind = st.selectbox(
        "Window", list(WINDOWS), list(WINDOWS).index(old.get("window", "rolling")), format_func=WINDOWS.__getitem__,
        key=f"{key}-window", help="Rolling forgets each impression by itself; a calendar forgets all at its edge.",
    )  # fmt: skip
    zone = "UTC"
    if kind == "calendar":
        zone = st.text_input("Zone", value=old.get("zone", "UTC"), key=f"{key}-zone", help="Whose midnight it is.")
    words = read(context, vocabulary.vocabulary)
    surfaces = st.multiselect(
        "Surfaces", sorted({*words.surfaces, *old.get("surfaces", ())}), list(old.get("surfaces", ())),
        key=f"{key}-surfaces", placeholder="all", help="Where it holds and counts; none named is all.",
    )  # fmt: skip
    campaigns = st.multiselect(
        "Campaigns", sorted({*words.campaigns, *old.get("campaigns", ())}), list(old.get("campaigns", ())),
        key=f"{key}-campaigns", placeholder="all", help="Likewise.",
    )  # fmt: skip
    return {
        "key": str(name), "limit": int(limit), "unit": unit, "count": int(number), "per": per,
        "attribute": attribute, "window": kind, "zone": zone, "surfaces": surfaces, "campaigns": campaigns,
    }  # fmt: skip


def preview(told: Mapping[str, Any]) -> None:
    """Draw what is wrong with a cap, or what it says."""
    for problem in told["problems"]:
        st.markdown(f":red[:material/edit:] **{safe(problem['field'])}** {safe(problem['message'], limit=300)}")
    if told["problems"]:
        return
    said("pass", f"A person sees {safe(told['sentence'], limit=200)}.")
    if told["behind"]:
        said("warn", f"It would never hold anything back: {safe(told['behind'])} is stricter.")


def save(context: Context, cap: Mapping[str, Any], start: Start, level: str) -> None:
    """Offer to write the cap, or to propose it."""
    name, danger, key, old = str(cap["key"]), level == "D2", start.key, start.stands is not None
    agree = " It allows more than before or holds everything back, so a second person must agree." if danger else ""
    with st.container(horizontal=True):
        command(
            context,
            "Save" if old else "Create",
            path=f"/caps/{name}" if old else "/caps",
            method="put" if old else "post",
            key=f"{key}-save",
            scope=Scope.CAMPAIGN_WRITE,
            body={"cap": dict(cap)},
            etag=start.etag or None,
            icon=":material/check:",
            confirm=name if danger else None,
            primary=True,
            what=f"Engines take it up within a second; what was shown before counts.{agree}",
        )
        command(
            context,
            "Propose",
            path="/changes",
            key=f"{key}-propose",
            scope=Scope.POLICY_PROPOSE,
            body={"kind": "cap.edit" if old else "cap.create", "key": name, "payload": {"cap": dict(cap)}},
            icon=":material/edit_note:",
            what="Drafts a change that someone else approves.",
        )


def undo(context: Context, view: Mapping[str, Any]) -> None:
    """Offer the way back from the last edit, and the end of the cap."""
    name = str(view["name"])
    with st.container(horizontal=True):
        if view["previous"]:
            command(
                context,
                "Put back",
                path=f"/caps/{name}/rollback",
                key=f"cap-back-{name}",
                scope=Scope.CAMPAIGN_WRITE,
                icon=":material/undo:",
                what=f"Puts back what the last edit replaced: at most {int(view['previous']['limit'])}. One step.",
            )
        command(
            context,
            "Delete",
            path=f"/caps/{name}",
            method="delete",
            key=f"cap-delete-{name}",
            scope=Scope.CAMPAIGN_WRITE,
            etag=view["etag"],
            icon=":material/delete:",
            confirm=name,
            what="Nothing is held back by it any more. A second person must agree, unless one person runs everything.",
        )
