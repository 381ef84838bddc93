"""What the landing page puts first for each role."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard.cached import current, read
from dashboard.context import Context
from dashboard.links import go
from dashboard.panels import experiments
from dashboard.panels.alerts import STATES
from dashboard.queries import desks, overview
from dashboard.queries import fleet as fleet_queries
from dashboard.queries.desks import CampaignDesk
from dashboard.text import ago, count, interval, lasting, percent, plain, safe, stamp
from dashboard.widgets import empty, note, said, state, table
from storage.records.clock import MINUTE
from storage.scrapes import Scrape

AUDIENCES: Mapping[str, tuple[str, ...]] = {
    "marketer": ("campaigns",),
    "data_scientist": ("models",),
    "ops": ("operation",),
}
EVERY = ("operation", "models", "campaigns")
STEPS = (
    ("events", "Data", "`fairlead import open-bandit` brings real impressions, or send events to `/v1/events`"),
    ("policy", "First policy", "draft a version on the Policies page, or `fairlead policy`"),
    ("approval", "First approval", "somebody else approves a change and rolls it out"),
    ("audit", "First audit", "start one on the Fairness or the Drift page"),
)
MOST = 6


def first_steps(context: Context) -> None:
    """Draw the checklist of a young installation; facts tick it, nobody can."""
    found = read(context, desks.steps)
    for name, title, how in STEPS:
        done = getattr(found, name)
        icon = ":green[:material/check_circle:]" if done else ":gray[:material/radio_button_unchecked:]"
        st.markdown(f"{icon} {title}" if done else f"{icon} **{title}**: {how}")


def campaigns(context: Context) -> None:
    """Draw the campaigns as a marketer looks at them: does each run, does it help, what holds it back."""
    if not read(context, overview.by_origin, span=context.span):
        empty("Nothing has been shown in this range.", "Choose a longer one, or send events.")
        return
    found = read(context, desks.campaigns, span=context.span, minute=context.now // MINUTE)
    best = [each for each in found if each.experiment is not None and each.experiment["verdict"] == "pass"]
    for each in best[:MOST]:
        said("pass", f"{safe(_name(each))}: {safe(each.experiment['sentence'], limit=300)}")  # type: ignore[index]  # of those that have one
    table(
        [
            {
                "campaign": plain(_name(each), 80),
                "status": each.line.campaign.status if each.line.campaign else "–",
                "eligible": f"{percent(each.reach.value, 3)} of {count(each.reach.n)}"
                if each.reach
                else "not observed",
                "at stake": _stake(each),
                "impressions": each.line.clicks.n,
                "click rate": percent(each.line.clicks.value),
                "95 % interval": interval(each.line.clicks.low, each.line.clicks.high) if each.line.clicks.n else "–",
                "times the holdout": _lift(each),
                "limited by": ", ".join(each.limited) or "nothing seen",
                "simulated": f"{percent(each.line.simulated.value)} of {count(each.line.simulated.n)}"
                if each.line.simulated.n
                else "–",
                "last event": ago(each.line.last_at or None, context.now),
            }
            for each in found
        ],
        key="campaign-table",
        alt="Campaigns: status, who may be reached, click rate and lift with intervals, and what limits them",
        columns={"impressions": st.column_config.NumberColumn(format="localized")},
    )
    with st.container(horizontal=True):
        for each in [each for each in found if each.line.campaign is not None][:MOST]:
            go(context, "heatmaps", f"Heatmaps of {safe(_name(each), limit=40)}", campaign=each.line.key)


def _stake(each: CampaignDesk) -> str:
    line = each.line
    if line.conversions:
        return f"{count(line.conversions)} conversions"
    if line.clicks.n:
        return f"{count(line.clicks.hits)} clicks"
    return f"{count(line.simulated.hits)} simulated clicks" if line.simulated.n else "–"


def _name(each: CampaignDesk) -> str:
    return each.line.campaign.name if each.line.campaign else each.line.key or "(none named)"


def _lift(each: CampaignDesk) -> str:
    if not each.holdout:
        return "no holdout"
    return "nothing live read out" if each.experiment is None else experiments.lift(each.experiment)


def questions(context: Context) -> None:
    """Draw what is open for a data scientist: experiments, fairness, drift, and what waits for somebody."""
    found = read(context, desks.questions)
    left, right = st.columns(2)
    with left:
        st.markdown("**Experiments**")
        _experiments(context, found.experiments, found.read_out_at)
        st.markdown("**Waiting for somebody**")
        if not found.waiting:
            note("No change waits for a review.")
        for change in found.waiting[:MOST]:
            with st.container(horizontal=True, vertical_alignment="center"):
                state(change.state)
                st.markdown(
                    f"{safe(change.kind)} of {safe(change.object_key)}, by {safe(change.author)} "
                    f"{ago(change.created_at, context.now)}"
                )
        go(context, "policies", "Changes and what they would do")
    with right:
        st.markdown("**Fairness**")
        if not found.fairness:
            empty("No audit of fairness has run.", "Start one on the Fairness page, or plan one by the clock.")
        for one in found.fairness[:MOST]:
            said(one.verdict, f"{safe(one.plan) or 'asked for'}: {safe(one.sentence, limit=240)}")
        go(context, "fairness", "Groups with their intervals")
        st.markdown("**Drift**")
        if not found.watched:
            empty("No window was held against a reference yet.", "Set a reference on the Drift page.")
        elif not found.drifted:
            said("pass", "No feature drifts in the newest windows.")
        for surface, feature, start in found.drifted[:MOST]:
            said("warn", f"{safe(feature)} on {safe(surface)}, window of {stamp(start, seconds=False)} UTC")
        go(context, "drift", "Features by importance and effect")


def _experiments(context: Context, found: Sequence[Mapping[str, Any]], at: int | None) -> None:
    if at is None:
        empty("Experiments have not been read out yet.", "Control does so every hour once anything was shown.")
    elif not found:
        empty("Chance has drawn nothing between two arms yet.", "Give a campaign a holdout, or a rule arms.")
    for one in found[:MOST]:
        mark = " :orange-badge[:material/science: simulated]" if one["origin"] == "simulated" else ""
        said(one["verdict"], f"{safe(one['title'], limit=90)}{mark}  \n:small[{safe(one['sentence'], limit=240)}]")
    go(context, "experiments", "Health, results, how much is enough")


def fleet(context: Context) -> None:
    """Draw what ops look at first: alerts, what flipped, what is late, and the replicas."""
    audiences = AUDIENCES.get(context.me.role, EVERY)
    found = read(context, desks.fleet, span=context.span, now=context.now, audiences=audiences)
    left, right = st.columns(2)
    with left:
        st.markdown("**Alerts**")
        if not found.firing:
            said("pass", "Nothing fires.")
        for told in found.firing[:MOST]:
            icon, word, colour = STATES[told.state]
            alert = told.alert
            st.markdown(
                f":{colour}-badge[{icon} {word}] **{safe(alert.title, limit=80)}**, "
                f"for {lasting(context.now - alert.since)}  \n:small[{safe(alert.sentence, limit=200)}]"
            )
        if len(found.firing) > MOST:
            note(f"and {len(found.firing) - MOST} more")
        go(context, "alerts", "Budgets, alerts and silences")
        st.markdown("**Control's own tasks**")
        if not found.tasks:
            empty("No task has run yet.", "Control runs them; `fairlead up` starts it.")
        elif not found.late:
            said("pass", f"All {found.tasks} ran in time, collectors among them.")
        for beat in found.late[:MOST]:
            why = beat.error or f"last ran {ago(beat.last_run, context.now)}, due every {beat.every_s:g} s"
            said("warn", f"{safe(beat.name)}: {safe(why, limit=200)}")
        go(context, "system", "Machinery, queues and disk")
    with right:
        st.markdown("**Last flips**")
        if not found.flips:
            note("Nothing that people are served changed in this range.")
        for mark in found.flips:
            entry = f"[in the ledger]({mark.address()})"
            st.markdown(f":material/swap_horiz: {safe(mark.text)} :small[:gray[{ago(mark.at, context.now)}] · {entry}]")
        go(context, "ledger", "Who changed what, and why")
    st.markdown("**Replicas, and how far behind the collector is**")
    replicas(context)


def replicas(context: Context) -> None:
    """Draw each replica with what it decides with, and when the collector last read it."""
    alive = current(context, overview.liveness)
    asked = read(context, fleet_queries.asked)
    if not alive.replicas and not asked:
        empty("No engine reports.", "`fairlead up` starts one; `fairlead doctor` says what is wrong.")
        return
    held = {one.replica: one for one in alive.replicas}
    table(
        [
            {
                "replica": name,
                "state": "not heard" if name not in held else "ready" if held[name].ready else "not ready",
                "revision": f"{held[name].revision} of {alive.revision}" if name in held else "–",
                "consent epoch": str(held[name].consent_epoch) if name in held else "–",
                "up since (UTC)": stamp(held[name].started_at or None) if name in held else "–",
                "heard": ago(held[name].at, context.now) if name in held else "over 10 s ago",
                **{f"{what} read": _read(asked.get((name, what)), context) for what in ("metrics", "journal")},
            }
            for name in sorted({*held, *(name for name, _ in asked)})
        ],
        key="fleet-table",
        alt="Replicas with revision, consent epoch, start, last report, and when the collector last read them",
    )


def _read(scrape: Scrape | None, context: Context) -> str:
    """Return when the collector last read a replica, and what failed since."""
    if scrape is None:
        return "never"
    last = ago(scrape.last_ok, context.now) if scrape.last_ok else "never"
    return last if scrape.result == "ok" else f"{last}, then {scrape.result.replace('_', ' ')}"
