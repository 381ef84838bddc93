"""A policy on its way out: where it is, the next step, and the way back."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from dashboard.cached import read
from dashboard.commands import command
from dashboard.context import Context
from dashboard.panels import vitals
from dashboard.queries import overview
from dashboard.queries.overview import Liveness
from dashboard.text import ago, safe
from dashboard.widgets import empty, verdict
from storage.records.access import Scope

LADDER = (1, 5, 10, 25, 50, 100)
LOOK_S = 2
"""How often one looks whether what is served has reached every replica."""


def back(context: Context, policy: Mapping[str, Any]) -> None:
    """Offer the way back: always there, one step."""
    target = "the stable version" if policy["rollout"] else f"v{policy['previous']}" if policy["previous"] else ""
    if not target:
        st.button(
            "Back", icon=":material/undo:", disabled=True, key="back-none", help="There is no earlier version to go to."
        )
        return
    command(
        context,
        f"Back to {target}" if not policy["rollout"] else f"Back to v{policy['stable']}",
        path=f"/policies/{policy['key']}/rollback",
        key="back",
        scope=Scope.POLICY_APPLY,
        icon=":material/undo:",
        what=f"Everyone gets {target} again, on every replica, within a second. No approval is needed.",
    )


def head(context: Context, policy: Mapping[str, Any]) -> None:
    """Draw what is served to whom, and on how many replicas; until it is on all of them this is drawn again and again,
    then the whole page once."""
    every = None if _everywhere(_alive(context)) else LOOK_S
    st.fragment(_served, run_every=every)(vitals.moving(replace(context, refresh_s=every or 0)), policy, every)


def _served(now: Callable[[], Context], policy: Mapping[str, Any], every: int | None) -> None:
    context, out = now(), policy["rollout"]
    alive = _alive(context)
    if every and _everywhere(alive):
        st.rerun()
    stable = f"v{policy['stable']}" if policy["stable"] else "the default experience"
    with st.container(horizontal=True, vertical_alignment="center"):
        verdict("pass" if _everywhere(alive) else "warn" if alive.n else "unknown")
        served = (
            f"v{out['version']} to {float(out['percent']):g} %, {stable} to the rest"
            if out
            else f"{stable} to everyone"
        )
        st.markdown(f"Surface {safe(policy['surface'])} serves **{served}**; {alive.sentence}.")
    if out:
        st.progress(
            min(1.0, float(out["percent"]) / 100),
            text=f"v{out['version']} since {ago(out['started_at'] or None, context.now)}",
        )


def _alive(context: Context) -> Liveness:
    return read(context, overview.liveness, now=context.now)


def _everywhere(alive: Liveness) -> bool:
    return bool(alive.n) and alive.live == alive.n


def steps(context: Context, policy: Mapping[str, Any]) -> None:
    """Offer the next step of the ladder, to apply or to propose."""
    numbers = [one["version"] for one in policy["versions"] if one["version"] != policy["stable"]]
    if not numbers:
        empty("Every version is already stable.", "Draft a new one.")
        return
    out = policy["rollout"] or {}
    chosen = st.selectbox(
        "Roll out",
        sorted(numbers, reverse=True),
        index=sorted(numbers, reverse=True).index(out["version"]) if out.get("version") in numbers else 0,
        format_func="v{}".format,
        key="rollout-version",
        width=140,
        help="The version that more people shall get.",
    )
    now = float(out.get("percent", 0.0)) if out.get("version") == chosen else 0.0
    ahead = next((one for one in LADDER if one > now), 100)
    share = st.select_slider(
        "To",
        LADDER,
        value=ahead,
        key=f"rollout-percent-{chosen}-{now:g}",
        format_func="{} %".format,
        help="Steps of the ladder; the next one is chosen until you choose another.",
    )
    body = {"version": chosen, "percent": share}
    key = str(policy["key"])
    with st.container(horizontal=True):
        command(
            context,
            f"Apply {share} %",
            path=f"/policies/{key}/rollout",
            key="rollout",
            scope=Scope.POLICY_APPLY,
            body=body,
            etag=policy["etag"],
            icon=":material/trending_up:",
            confirm=key,
            what=f"v{chosen} goes from {now:g} % to {share} % of subjects. The first step of a version, steps over "
            "10 points and those past 50 % need an approved change, unless one person runs everything.",
        )
        command(
            context,
            "Propose",
            path="/changes",
            key="propose",
            scope=Scope.POLICY_PROPOSE,
            body={"kind": "policy.rollout", "key": key, "payload": body},
            icon=":material/edit_note:",
            what=f"Drafts a change: v{chosen} to {share} %. Someone else approves it.",
        )
