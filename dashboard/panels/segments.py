"""Segments: how large they are, what they mean, who clicks more or less, and those of one's own."""

from collections.abc import Sequence

import orjson
import streamlit as st

from dashboard.commands import command
from dashboard.context import Context
from dashboard.figures.sizes import sizes
from dashboard.panels import over_time
from dashboard.queries.audience import Sizes, State
from dashboard.text import count, percent, safe
from dashboard.widgets import as_of, chart, empty, note, said, simulated
from governance.audience import SHOWN_FROM, SegmentView
from governance.segments import etag_of_rule
from storage.records.access import Scope
from storage.records.segments import STANDARD_SEGMENTS

CENSUS_S = 60
MOST_LINES = 5
SORTS = {"standard": "", "own": " · own", "cluster": " · found in the data"}
EXAMPLE = '{"user.purchases": {"$gte": 3}}'


def head(context: Context, state: State) -> None:
    """Say how many people were counted, when, and of which origin."""
    found = state.audience
    if found.at is None:
        empty(
            "Nobody was counted yet.",
            "Control counts everyone whom events tell of, once a minute; only who agreed to profiling is counted.",
        )
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        known = count(found.people) if found.people is not None else f"fewer than {SHOWN_FROM}"
        st.markdown(f"**{known}** people whom events tell of and who may be profiled", width="content")
        simulated(found.origins)
        as_of(found.at, context, every_s=CENSUS_S)


def now(context: Context, state: State) -> None:
    """Draw the sizes of all segments but cohorts."""
    shown = [one for one in state.audience.segments if one.kind != "cohort" and one.people is not None]
    if not shown or not state.audience.people:
        empty("No size can be shown yet.", "Sizes come with the first census, a minute after the first events.")
        return
    groups = [(named(one), one.people or 0, one.confidence) for one in shown]
    chart(
        sizes(groups, state.audience.people or 0, context.look),
        key="segment-sizes",
        alt="People by segment: " + ", ".join(f"{one.key} {count(one.people)}" for one in shown),
        rows=lambda: [
            {"segment": one.key, "people": one.people, "confidence": one.confidence, "meaning": one.title}
            for one in shown
        ],
    )
    hidden = sum(one.people is None and one.enabled for one in state.audience.segments)
    if hidden:
        note(f"{hidden} groups are not shown: fewer than {SHOWN_FROM} people, beside such a one, or not counted yet.")


def named(view: SegmentView) -> str:
    """Return a segment's name for a figure."""
    return view.key.replace("_", " ")


def meanings(state: State) -> None:
    """Say what each segment means, and how sure membership is."""
    for one in state.audience.segments:
        if one.kind == "cohort":
            continue
        name = f"**{safe(named(one))}**{SORTS[one.kind]}"
        if not one.enabled:
            st.markdown(f"{name}  \n:small[:gray[Turned off.]]")
            continue
        sure = "" if one.confidence is None else f" Mean confidence {percent(one.confidence)}."
        st.markdown(f"{name}  \n:small[{safe(one.title, limit=300)}:gray[{sure}]]")


def history(context: Context, state: State, found: Sizes) -> None:
    """Draw how large chosen segments were."""
    names = [one.key for one in state.audience.segments if one.kind != "cohort" and one.key in found]
    if not names:
        empty("There is no history yet.", "One point is kept per hour, for ninety days.")
        return
    chosen = st.pills(
        "Segments",
        names,
        selection_mode="multi",
        default=names[:3],
        format_func=lambda key: key.replace("_", " "),
        key="segments-over-time",
        help="At most five lines are drawn.",
    )
    series = {key: found[key] for key in chosen[:MOST_LINES]}
    if series:
        over_time.draw(context, series, key="segment-history", what="Size of segments", unit="people")


def cohorts(context: Context, state: State) -> None:
    """Draw the months in which people were first seen."""
    shown = [
        one
        for one in state.audience.segments
        if one.kind == "cohort" and "-W" not in one.key and one.people is not None
    ][:12]
    if not shown:
        empty("No cohort can be shown yet.", f"A cohort is shown from {SHOWN_FROM} people on.")
        return
    groups = [(one.key.removeprefix("cohort."), one.people or 0, one.confidence) for one in shown]
    chart(
        sizes(groups, state.audience.people or 0, context.look),
        key="cohort-sizes",
        alt="People by the month in which they were first seen: "
        + ", ".join(f"{one.key} {count(one.people)}" for one in shown),
        rows=lambda: [{"cohort": one.key, "people": one.people} for one in shown],
    )
    note("The newest twelve months. Conditions may ask for cohorts of months and of weeks: `cohort.2026-11`.")


def clicks(state: State) -> None:
    """Say which segments click more or less than everyone else, with the evidence."""
    settled = [one for one in state.audience.segments if one.verdict != "unknown"]
    for one in sorted(settled, key=lambda view: view.verdict == "pass"):
        said(one.verdict, f"**{safe(named(one))}**: {safe(one.sentence, limit=300)}")
    open_ones = [one for one in state.audience.segments if one.verdict == "unknown" and one.rate is not None]
    for one in _most_shown(open_ones):
        said("unknown", f"**{safe(named(one))}**: {safe(one.sentence, limit=300)}")
    if not settled and not open_ones:
        empty(
            "No segment can be compared yet.",
            "It takes impressions of known people whose join window has closed: a day after they were shown.",
        )
    else:
        note("Last seven days, closed windows; the intervals hold for all segments together (Bonferroni).")


def _most_shown(views: Sequence[SegmentView]) -> list[SegmentView]:
    return sorted(views, key=lambda view: -(view.impressions or 0))[:3]


def own(context: Context, state: State) -> None:
    """Offer to write, change and delete segments."""
    left, right = st.columns(2)
    with left:
        key = st.text_input("Key", key="segment-key", max_chars=64, help="Letters, digits, dots, dashes, underscores.")
        title = st.text_input("What it means", key="segment-title", max_chars=200, help="The sentence that pages show.")
    with right:
        text = st.text_area(
            "Condition",
            key="segment-when",
            placeholder=EXAMPLE,
            height=122,
            help="A condition over the person, as in rules: user.clicks, user.purchases, user.spend, user.age_days, "
            "user.recency_days, user.segments, and what people may state of themselves.",
        )
    when = _condition(text)
    if text and when is None:
        st.warning(f"A condition is a JSON object, such as {EXAMPLE}", icon=":material/edit:")
    if key and when:
        command(
            context,
            "Create segment",
            path="/segments",
            key="segment-create",
            scope=Scope.CAMPAIGN_WRITE,
            body={"key": key, "rule": {"when": when, "title": title}},
            icon=":material/add:",
            what="Conditions of rules and campaigns may ask for it at once; its size comes with the next census.",
        )
    for name, rule in state.own.items():
        back = name in STANDARD_SEGMENTS
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{safe(name)}** {safe(rule.title, limit=200)}", width="stretch")
            command(
                context,
                "Back to standard" if back else "Delete",
                path=f"/segments/{name}",
                key=f"segment-delete-{name}",
                scope=Scope.CAMPAIGN_WRITE,
                icon=":material/undo:" if back else ":material/delete:",
                etag=etag_of_rule(rule),
                method="delete",
                what="What asks for a segment has to be changed first.",
            )


def _condition(text: str) -> dict[str, object] | None:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) and value else None
