"""What a fairness audit shall look at: asked for once, or planned by the clock."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboard.cached import read
from dashboard.commands import command
from dashboard.context import Context
from dashboard.queries import fairness as queries
from dashboard.text import ago, plain, safe
from dashboard.widgets import empty, note
from storage.records.access import Scope
from storage.records.fairness import METRICS, MOST_ATTRIBUTES

ORIGINS = ("imported", "live", "simulated")
EVERY = {"day": 24, "week": 24 * 7, "4 weeks": 24 * 28}


def order(context: Context) -> dict[str, Any]:
    """Ask what to look at; what is left as it is stays out of the order."""
    words = read(context, queries.choices, with_sensitive=context.me.may(Scope.FAIRNESS_READ))
    with st.expander("Choose what to look at", icon=":material/tune:", key="fairness-order"):
        first, second = st.columns(2)
        with first:
            attributes = st.multiselect(
                "Groups by",
                words.attributes,
                key="fairness-attributes",
                max_selections=MOST_ATTRIBUTES,
                help="Attributes of the audience, sensitive ones kept apart, or providers of items. None: the usual.",
            )
            campaign = st.selectbox(
                "Campaign",
                [None, *words.campaigns],
                key="fairness-campaign",
                format_func=_all,
                help="None: all of them.",
            )
            control = st.selectbox(
                "Compare at equal",
                [None, *(name for name in words.attributes if "." not in name and name not in attributes)],
                key="fairness-control",
                format_func=lambda name: "nothing" if name is None else plain(name, 40),
                help="A control feature: impressions are compared only with those that are alike in it.",
            )
        with second:
            metrics = st.multiselect(
                "Measures", METRICS, key="fairness-metrics", help="None: every one that the data allow."
            )
            origins = st.multiselect(
                "Rows", ORIGINS, default=["imported"], key="fairness-origins", help="Where the rows came from."
            )
            with st.container(horizontal=True):
                days = st.number_input(
                    "Days back", min_value=0, max_value=400, value=0, key="fairness-days", help="0: all that is kept."
                )
                least = st.number_input(
                    "Smallest group",
                    min_value=2,
                    value=100,
                    step=50,
                    key="fairness-least",
                    help="Smaller: listed.",
                )
    asked: dict[str, Any] = {
        "attributes": attributes,
        "metrics": metrics,
        "campaign": campaign,
        "control": control,
        "days": int(days) or None,
    }
    found = {name: value for name, value in asked.items() if value}
    if origins and origins != ["imported"]:
        found["origins"] = origins
    return found | ({"min_group": int(least)} if int(least) != 100 else {})


def _all(name: str | None) -> str:
    return "all" if name is None else plain(name, 40)


def planned(context: Context, asked: Mapping[str, Any]) -> None:
    """Draw the audits that run by the clock, and offer to plan what is chosen above."""
    held = read(context, queries.plans)
    if not held:
        empty("No audit runs by the clock.", "Choose above what to look at, then plan it here.")
    for stored in held:
        plan = stored.plan
        looks = ", ".join(safe(name, limit=40) for name in plan.order.attributes)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{safe(plan.title or plan.key)}** every {plan.every_hours} h by {looks}")
            note(f"changed {ago(stored.updated_at, context.now)}" + ("" if plan.enabled else " · off"))
            command(
                context,
                "Stop",
                path=f"/fairness/plans/{plan.key}",
                method="delete",
                key=f"plan-{plan.key}",
                scope=Scope.JOB_RUN,
                etag=stored.etag,
                confirm=plan.key,
                icon=":material/stop:",
                what="No longer watching takes a second person, unless one person runs everything. Its audits stay.",
            )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        key = st.text_input("Key", key="plan-key", width=180, help="Short, stays for good: audits carry it.").strip()
        every = st.selectbox("Every", list(EVERY), key="plan-every", width=140, help="How often it runs.")
        command(
            context,
            "Plan this audit",
            path="/fairness/plans",
            key="plan-new",
            scope=Scope.JOB_RUN,
            body={"plan": {"key": key, "every_hours": EVERY[every or "day"], "order": dict(asked)}},
            icon=":material/event_repeat:",
            what="Its first audit runs within a minute. Changing later how it judges takes a second person.",
        )


def kept_apart(context: Context) -> None:
    """Draw the sensitive attributes that are kept, with how many people say something."""
    held = read(context, queries.kept_apart)
    if not held:
        empty(
            "No sensitive attribute is kept.",
            "Whoever holds fairness:write may put what people say of themselves; no decision ever reads it.",
        )
    for one in held:
        said = ", ".join(f"{safe(value, limit=30)} {count:,}" for value, count in one.values)
        st.markdown(f"**{safe(one.attribute)}** said by {one.people:,} people  \n:small[:gray[{said}]]")
