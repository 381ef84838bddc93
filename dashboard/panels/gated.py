"""A rollout that goes by itself: where it is, what each gate says, what was said before, and who may step in."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from dashboard.cached import read
from dashboard.commands import command, turn
from dashboard.context import Context
from dashboard.panels import vitals
from dashboard.queries.rules import vocabulary
from dashboard.text import ago, count, lasting, percent, safe, stamp
from dashboard.widgets import empty, failure, note, said, state, table
from storage.errors import FairleadError, Invalid
from storage.records.access import Scope

OPEN = ("running", "paused", "asking")
NAMES = {
    "slo": "Failures and speed",
    "outcome": "Outcome",
    "drift": "Same traffic",
    "fairness": "Fairness",
    "sample": "Split of people",
}
"""The gates in words that need no glossary."""
LOOK_S = 5
"""Rollouts are looked at so often."""
STEPS = {"hold": "stays", "advance": "goes on", "ask": "asks", "roll_back": "taken back", "finish": "ends"}


def panel(context: Context, policy: Mapping[str, Any]) -> None:
    """Draw the newest gated rollout of a policy, and offer the next one."""
    found = context.control.get("/rollouts", policy=policy["key"])["rollouts"]
    newest = found[0] if found else None
    if newest is None:
        empty("No version has gone out by itself yet.", _first(policy))
    else:
        open_ = newest["state"] in OPEN
        every = LOOK_S if open_ else None
        st.fragment(_standing, run_every=every)(vitals.moving(replace(context, refresh_s=every or 0)), newest)
        if open_:
            _commands(context, newest)
        _before(context, newest)
    if newest is None or newest["state"] not in OPEN:
        _next(context, policy)


def _standing(now: Callable[[], Context], newest: Mapping[str, Any]) -> None:
    """Draw where a rollout stands; while it is open this runs by itself, and the whole page where it moved."""
    context = now()
    rollout = context.control.get("/rollouts", policy=newest["policy"], limit=1)["rollouts"][0]
    if any(rollout[name] != newest[name] for name in ("rollout_id", "state", "percent")):
        st.rerun()
    _head(context, rollout)
    _gates(context, rollout)


def _first(policy: Mapping[str, Any]) -> str:
    """Say what to do for the first one."""
    out = policy["rollout"]
    if out:
        return f"v{out['version']} is taken out by hand: finish it or go back, then a version can go by itself."
    if not policy["stable"]:
        return "A first version has to be stable before another can be held against it."
    return "Choose one below: it takes the steps alone, and comes back alone where harm is shown."


def _head(context: Context, rollout: Mapping[str, Any]) -> None:
    plan = rollout["plan"]
    with st.container(horizontal=True, vertical_alignment="center"):
        state(rollout["state"])
        where = f"v{plan['version']} at **{rollout['percent']:g} %**"
        ahead = f", next {rollout['ahead']:g} %" if rollout["ahead"] and rollout["state"] in OPEN else ""
        st.markdown(f"{where}{ahead}; since {ago(rollout['marks'][-1]['at'], context.now)}.")
    st.progress(
        min(1.0, rollout["percent"] / 100.0),
        text="Steps: " + " → ".join(f"{step:g} %" for step in plan["steps"]),
    )
    if rollout["note"] and rollout["state"] != "running":
        gate, _, why = str(rollout["note"]).partition(": ")
        st.markdown(f"**{NAMES[gate]}**: {safe(why, limit=300)}" if gate in NAMES else safe(rollout["note"], limit=300))
    latest = rollout["latest"]
    decisions = sum(sum(step["decisions"]) for step in latest["evidence"]["steps"]) if latest else 0
    announced = sum(rollout["announced"])
    rate = percent(rollout["base_rate"])
    told = {"plan": "as planned", "measured": "as measured", "assumed": "assumed: nothing was counted yet"}
    note(
        f"{count(decisions)} decisions so far; a version like the stable one takes about {count(announced)} in all, at "
        f"an outcome rate of {rate} ({told[rollout['rate_from']]}). A harmless version is taken back in at most "
        f"{percent(plan['alpha'], 1)} of rollouts, however often it is looked at."
    )


def _gates(context: Context, rollout: Mapping[str, Any]) -> None:
    latest = rollout["latest"]
    if latest is None:
        empty("Nothing was counted yet.", "The first look comes within seconds.")
        return
    for one in latest["findings"]:
        more = f" About {count(one['missing'])} more decisions." if one["missing"] else ""
        waived = " *Not waited for.*" if one["waived"] else ""
        said(one["verdict"], f"**{NAMES[one['gate']]}**: {safe(one['sentence'], limit=240)}{more}{waived}")
    simulated = " Some of these rows are simulated." if "simulated" in latest["evidence"]["origins"] else ""
    note(f"Looked at {ago(rollout['updated_at'], context.now)}; looks follow every few seconds.{simulated}")
    with st.popover("Figures", icon=":material/table:", type="tertiary", key=f"gated-figures-{rollout['rollout_id']}"):
        rows = [
            {
                "gate": NAMES[one["gate"]],
                "of": figure["name"],
                "on its way": figure["treated"],
                "stable": figure["control"],
                "difference from": figure["low"],
                "to": figure["high"],
                "limit": figure["limit"],
                "evidence": figure["strength"],
                "harm at": figure["needed"],
            }
            for one in latest["findings"]
            for figure in one["figures"]
        ]
        table(rows, key="gated-table", alt="What each gate measured, for both versions.")


def _commands(context: Context, rollout: Mapping[str, Any]) -> None:
    path = f"/rollouts/{rollout['rollout_id']}"
    stable = "the stable version"
    with st.container(horizontal=True):
        command(
            context,
            "Take back",
            path=f"{path}/roll-back",
            key="gated-back",
            scope=Scope.POLICY_APPLY,
            icon=":material/undo:",
            what=f"Everyone gets {stable} again within a second. No approval is needed.",
        )
        if rollout["state"] == "paused":
            command(
                context,
                "Resume",
                path=f"{path}/resume",
                key="gated-resume",
                scope=Scope.POLICY_APPLY,
                icon=":material/play_arrow:",
                what="It goes on by itself once every gate has been green for a while.",
            )
        else:
            command(
                context,
                "Pause",
                path=f"{path}/pause",
                key="gated-pause",
                scope=Scope.POLICY_APPLY,
                icon=":material/pause:",
                what="It stays where it is. Shown harm still takes it back.",
            )
        if rollout["state"] == "asking":
            command(
                context,
                f"Let it go to {rollout['ahead']:g} %",
                path=f"{path}/let-go",
                key="gated-go",
                scope=Scope.POLICY_APPROVE,
                icon=":material/check:",
                primary=True,
                what="Every gate is green; the plan asks a person before everyone gets it. Its author may not answer.",
            )


def _before(context: Context, rollout: Mapping[str, Any]) -> None:
    with st.popover("What was said before", icon=":material/history:", type="tertiary", key="gated-before"):
        kept = context.control.get(f"/rollouts/{rollout['rollout_id']}/looks", limit=30)["looks"]
        rows = [
            {
                "when": stamp(one["at"]),
                "at": f"{one['percent']:g} %",
                "it": STEPS[one["step"]],
                "why": one["reason"],
            }
            for one in kept
        ]
        table(rows, key="gated-looks", alt="Each look that was kept, the newest first: where it was, what was done.")
        note("Each look is kept with all that it counted, and can be judged again: `fairlead rollout replay`.")


def _next(context: Context, policy: Mapping[str, Any]) -> None:
    numbers = sorted((one["version"] for one in policy["versions"] if one["version"] != policy["stable"]), reverse=True)
    if not numbers or policy["rollout"] or not policy["stable"]:
        return
    with st.expander("Let a version go out by itself", key=turn("gated-next"), icon=":material/trending_up:"):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            version = st.selectbox("Version", numbers, format_func="v{}".format, key="gated-version", width=120)
            dwell = st.number_input(
                "Minutes at each step",
                min_value=0,
                value=10,
                key="gated-dwell",
                width=180,
                help="At least so long, even where every gate is green.",
            )
        words = read(context, vocabulary)
        groups = st.multiselect(
            "Nobody harmed by",
            [name for name, kind in words.asked.items() if kind in {"string", "boolean"} and "." not in name],
            key="gated-groups",
            help="Attributes of the context whose groups the fairness gate compares. None: those declared sensitive.",
        )
        ask = st.checkbox("Ask somebody before everyone gets it", key="gated-ask")
        waived = st.multiselect(
            "Do not wait for",
            [gate for gate in NAMES if gate != "sample"],
            format_func=NAMES.__getitem__,
            key="gated-waived",
            help="Still looked at and shown. Fairness needs groups: named above, or declared sensitive.",
        )
        plan = {
            "version": version,
            "dwell_s": int(dwell) * 60,
            "last_step": "ask" if ask else "go",
            "waived": waived,
            **({"groups": groups} if groups else {}),
        }
        _announced(context, str(policy["key"]), plan)


def _announced(context: Context, key: str, plan: Mapping[str, Any]) -> None:
    if not context.me.may(Scope.POLICY_PROPOSE):
        note("Needs the permission policy:propose.")
        return
    try:
        told = context.control.post("/rollouts/preview", {"policy": key, "plan": plan})
    except Invalid as error:
        said("warn", safe(error, limit=300))
        return
    except FairleadError as error:
        failure(error, "gated-preview")
        return
    said(told["preflight"]["verdict"], f"Off-policy: {safe(told['preflight']['sentence'], limit=300)}")
    note(
        f"About {count(told['decisions'])} decisions in all and at least "
        f"{lasting(plan['dwell_s'] * len(told['announced']) * 1_000_000)}, if it is like the stable version: "
        f"{', '.join(count(each) for each in told['announced'])} by step."
    )
    with st.container(horizontal=True):
        command(
            context,
            "Start",
            path="/rollouts",
            key="gated-start",
            scope=Scope.POLICY_APPLY,
            body={"policy": key, "plan": plan},
            confirm=key,
            icon=":material/play_arrow:",
            what="Takes the first step now, and the others by itself. Another person must agree first, unless one "
            "person runs everything.",
        )
        command(
            context,
            "Propose",
            path="/changes",
            key="gated-propose",
            scope=Scope.POLICY_PROPOSE,
            body={"kind": "rollout.start", "key": key, "payload": plan},
            icon=":material/edit_note:",
            what="Drafts a change with the whole plan; one approval covers all of its steps.",
        )
