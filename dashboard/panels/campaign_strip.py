"""Above the heatmaps: whether the campaign runs, what holds it back, and whether it can be held against nothing."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.cached import read
from dashboard.context import Context
from dashboard.links import go
from dashboard.panels.experiments import lift
from dashboard.panels.heatmap import Asked
from dashboard.queries import campaign_strip, overview
from dashboard.queries.overview import CampaignLine
from dashboard.queries.rates import Rate
from dashboard.text import count, interval, percent, safe, stamp
from dashboard.widgets import empty, note, simulated, state
from storage.records.access import Scope
from storage.records.campaigns import Campaign


def draw(context: Context, line: CampaignLine | None, asked: Asked) -> None:
    """Draw the strip of one campaign, or of all."""
    sums = read(context, overview.by_origin, span=context.span)
    if not sums and (line is None or line.campaign is None):
        empty(
            "No impression in this range.",
            "Choose All data as range, import the sample data with `fairlead import open-bandit`, or send events.",
        )
        return
    if line is None:
        with st.container(horizontal=True, vertical_alignment="center"):
            for origin, held in sums.items():
                note(
                    f"{safe(origin)}: {count(held.impressions)} impressions, {count(held.clicks)} clicks",
                    width="content",
                )
        note("Choose a campaign to see whether it runs, what holds it back, and what to try.")
    else:
        _rates(line)
        if line.campaign is not None:
            _allowed(context, line.campaign, asked)
    if asked.rows != "real":
        simulated(tuple(sums))
    if not context.me.may(Scope.DECISION_READ):
        note("Your role sees cells, not the decisions behind them.")


def _rates(line: CampaignLine) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        if line.campaign is not None:
            state(line.campaign.status)
            st.markdown(f"**{safe(line.campaign.name)}**", width="content")
        for name, found in (("real", line.clicks), ("simulated", line.simulated)):
            if found.n:
                note(
                    f"{name}: {count(found.n)} impressions, {count(found.hits)} clicks, "
                    f"{percent(found.value)} ({interval(found.low, found.high)})",
                    width="content",
                )


def _allowed(context: Context, campaign: Campaign, asked: Asked) -> None:
    told = read(context, campaign_strip.strip, campaign=campaign, span=context.span)
    if told.killed:
        st.badge("kill switch: everyone gets the default experience", icon=":material/power_settings_new:", color="red")
    one, two, three, four = st.columns(4)
    one.metric(
        "Runs",
        _dates(campaign),
        delta="; ".join(told.policies) or "no policy: the default experience",
        delta_color="off",
        delta_arrow="off",
        help="Start and end of the campaign (UTC), and the policy versions that serve its surfaces. Source: the newest "
        "revision.",
    )
    _share(
        two,
        "Eligible after consent",
        told.admitted,
        "Decisions of this campaign for people who may be profiled, of all its decisions. The others got the default "
        "experience. Source: fairlead_decision_requests_total.",
    )
    _share(
        three,
        "Held back by caps",
        told.capped,
        "Looks at a cap of this campaign, its surfaces or everyone that held something back, of all such looks. "
        "Source: fairlead_cap_checks_total.",
    )
    value, of = _over_nothing(context, campaign, told.holdout, asked)
    four.metric(
        "Lift over the holdout",
        value,
        delta=of,
        delta_color="off",
        delta_arrow="off",
        help="Click rate over that of the people held out, who are never personalized: whether the campaign is better "
        "than doing nothing, with its 95 % interval. Lift in the heatmaps compares with the campaign's own mean. "
        "Source: the newest readout of experiments.",
    )
    if told.holdout:
        go(context, "experiments", "Lift over doing nothing, with its interval")


def _over_nothing(context: Context, campaign: Campaign, holdout: float, asked: Asked) -> tuple[str, str]:
    """Return how many times the holdout's click rate the campaign has, and of how many, or why that is not known."""
    if not holdout:
        return "unknown", "no holdout to compare with"
    held = f"{percent(holdout, 2)} held out"
    found = read(context, campaign_strip.over_nothing, campaign=campaign.key, simulated=asked.rows == "simulated")
    if found is None:
        return "not yet", f"{held}; not read out yet"
    if found["hidden"]:
        return "hidden", f"{held}; too early to look"
    value, _, ends = lift(found).partition(" × ")
    shown = sum(int(arm["impressions"]) for arm in found["arms"])
    return (f"{value} ×" if ends else value), f"{ends.strip('()') or 'nothing counted'}; {held}, n {count(shown)}"


def _share(place: DeltaGenerator, name: str, found: Rate | None, what: str) -> None:
    place.metric(
        name,
        percent(found.value, 3) if found else "–",
        delta=f"{interval(found.low, found.high)} %, n {count(found.n)}" if found else "nothing observed",
        delta_color="off",
        delta_arrow="off",
        help=what,
    )


def _dates(campaign: Campaign) -> str:
    first, last = (stamp(at)[:10] if at else "" for at in (campaign.starts_at, campaign.ends_at))
    if not first and not last:
        return "no dates"
    return f"{first or 'always'} → {last or 'open'}"
