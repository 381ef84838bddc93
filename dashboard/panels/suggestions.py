"""What to do: at most three suggestions, each with its evidence and a draft that somebody else approves."""

from typing import Any

import streamlit as st

from dashboard.cached import read
from dashboard.commands import send, turn
from dashboard.context import Context
from dashboard.links import go
from dashboard.panels.changes import OPEN
from dashboard.panels.heatmap import Asked
from dashboard.queries import heatmaps, suggestions
from dashboard.queries.suggestions import Suggested, Suggestion
from dashboard.text import count, digits, safe
from dashboard.weeks import first_day
from dashboard.widgets import empty, note, simulated, state
from storage.errors import FairleadError
from storage.records.access import Scope


def draw(context: Context, asked: Asked) -> None:
    """Draw what to try for the chosen campaign."""
    if asked.campaign is None:
        empty("Suggestions are for one campaign.", "Choose a campaign above.")
        return
    about: Any = {"campaign": asked.campaign, "span": context.span, "rows": asked.rows}
    hours = read(context, heatmaps.by_hour, level="", first_day=first_day(st.context.locale), **about)
    items = read(context, heatmaps.by_position_item, level="", **about)
    behind = read(context, suggestions.seen, **about)
    told = suggestions.suggest(hours, items, behind, campaign=asked.campaign, zone=context.span.zone)
    if not told.found:
        _nothing(told)
        return
    for one in told.found:
        with st.container(border=True, key=f"suggestion-{one.rule['key'] if one.rule else one.kind}"):
            _one(context, one, made="simulated" in told.origins)
    simulated(told.origins)
    note(_tested(told))


def _tested(told: Suggested) -> str:
    wide = f"; tests widened {digits(told.alike, 2)} ×, since clicks come together" if told.alike > 1.05 else ""
    return (
        f"{count(told.survived)} of {count(told.tested)} cells differ when 5 % false discoveries are allowed "
        f"(Benjamini–Hochberg){wide}."
    )


def _nothing(told: Suggested) -> None:
    if not told.tested:
        why = "No cell carries enough clicks to be compared."
    elif told.survived:
        why = "Cells differ from the mean, but none is something to try."
    else:
        why = f"None of {count(told.tested)} cells differs from the mean beyond chance."
    more = (
        f"With about {count(told.needed)} more clicks a usual cell that is clicked half as often again would show."
        if told.needed
        else "Choose a longer range."
    )
    empty(why, more)
    note(_tested(told))


def _one(context: Context, one: Suggestion, *, made: bool) -> None:
    icon = "trending_up" if one.lift > 1 else "trending_down"
    st.markdown(f":material/{icon}: {safe(one.evidence, limit=400)}")
    if one.rule is None:
        note("No item was shown often enough to be put first then; nothing can be drafted yet.")
        return
    items = ", ".join(one.rule["items"]["item_id"]["$in"][:5])
    verb = "Boost" if one.rule["factor"] > 1 else "Hold back"
    when = " at these hours" if one.kind == "hours" else ""
    st.markdown(
        f"**To try:** {verb} {safe(items)} by {digits(one.rule['factor'], 3)} ×{when}, for half of the people; the "
        "other half stays as it is, so that the effect is measured."
    )
    _draft(context, one, made=made)


def _draft(context: Context, one: Suggestion, *, made: bool) -> None:
    if one.rule is None:
        return
    name = str(one.rule["key"])
    if not context.me.may(Scope.POLICY_PROPOSE):
        st.button(
            "Draft change",
            key=f"draft-{name}-closed",
            icon=":material/edit_note:",
            disabled=True,
            help=f"Needs the permission {Scope.POLICY_PROPOSE.value}.",
        )
        return
    try:
        known = context.control.get("/changes", object_key=name)["changes"]
    except FairleadError:
        note(":material/cloud_off: control does not answer; a change cannot be drafted now.")
        return
    waiting = next((change for change in known if change["state"] in OPEN and change["object_key"] == name), None)
    if waiting is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            state(waiting["state"])
            note(f"drafted by {safe(waiting['author'])}; nothing is served before somebody approves it")
        go(context, "rules", "See the change")
        return
    key = turn(f"draft-{name}")
    with st.popover("Draft change", icon=":material/edit_note:", key=f"{key}-open"):
        st.markdown("Writes a change in state draft. Nothing is served before it is submitted, approved and applied.")
        with st.form(f"{key}-form", border=False):
            reason = st.text_area(
                "Reason",
                value=("From simulated rows. " if made else "") + one.evidence,
                key=f"{key}-reason",
                help="What speaks for it. It stands in the change and the ledger, for good.",
            )
            given = st.form_submit_button("Draft change", type="primary", icon=":material/edit_note:")
        if given:
            order = {"kind": "rule.create", "key": name, "payload": {"rule": dict(one.rule)}, "reason": reason.strip()}
            send(context, "/changes", order, key=key)
