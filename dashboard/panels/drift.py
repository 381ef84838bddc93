"""The watch over drift: the verdict of a surface in words, its features, what is normal, what is accepted."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboard.commands import command
from dashboard.context import Context
from dashboard.panels import features
from dashboard.queries.drift import Watch, course, since
from dashboard.text import ago, count, percent, safe, stamp
from dashboard.widgets import empty, note, said, simulated, table
from storage.records.access import Scope
from storage.records.clock import DAY, MINUTE

FAMILY = {"decided": "what was asked and predicted", "shown": "what was shown and clicked"}
SPANS = {"the last day": DAY, "the last 7 days": 7 * DAY, "the last 28 days": 28 * DAY}
TERMS = {"1 day": DAY, "7 days": 7 * DAY, "28 days": 28 * DAY}


def verdicts(context: Context, watch: Watch) -> None:
    """Draw the newest verdict of each family in words, or what is missing for one."""
    if watch.reference is None:
        empty(
            f"Reference not set: nobody has said yet what is normal on {safe(watch.surface)}.",
            "Set one below. From then on every window is held against it by itself.",
        )
        return
    if not watch.looks:
        counted = watch.reference.counted_at is not None
        empty(
            "No window was complete since the reference was set.",
            "Windows are looked at some minutes after they end; outcomes a day later."
            if counted
            else "The reference is being counted; its outcomes are known a day after it ends.",
        )
    for (family, origin), looks in watch.looks.items():
        last = looks[0]
        said(last.verdict, f"**{safe(FAMILY[family].capitalize())}**: {safe(last.sentence, limit=400)}")
        note(
            f"{stamp(last.start, seconds=False)} to {stamp(last.end, seconds=False)} UTC · "
            f"looked at {ago(last.at, context.now)} · "
            + ("the first window" if len(looks) == 1 else f"the last of {len(looks)} windows")
        )
        simulated([origin])
    told_reference(context, watch)


def told_reference(context: Context, watch: Watch) -> None:
    """Say what is normal, since when, and who said so."""
    reference = watch.reference
    if reference is not None:
        plan = reference.plan
        note(
            f":material/flag: Reference {reference.version}: {stamp(plan.start, seconds=False)} to "
            f"{stamp(plan.end, seconds=False)} UTC, {', '.join(plan.origins)} rows, ended "
            f"{ago(plan.end, context.now)} · set by {safe(reference.author)}: {safe(reference.reason, limit=200)}"
        )
    for held in watch.accepted.values():
        note(
            f":material/task_alt: {safe(held.feature)} accepted by {safe(held.author)} until "
            f"{stamp(held.until, seconds=False)} UTC: {safe(held.reason, limit=200)}"
        )


def rows(watch: Watch) -> list[dict[str, Any]]:
    """Return the features of the newest looks, each with its course, the gravest first."""
    found = []
    for (family, origin), looks in watch.looks.items():
        for row in looks[0].features:
            began = since(looks, row["feature"])
            found.append(
                dict(row)
                | {
                    "of": FAMILY[family],
                    "origin": origin,
                    "course": course(looks, row["feature"]),
                    "since": "–" if began is None else f"{stamp(began, seconds=False)} UTC",
                }
            )
    found.sort(key=lambda row: (not row["red"], -float(row["effect"]) / float(row["threshold"])))
    return found


def listed(found: list[dict[str, Any]]) -> None:
    """Draw one row per feature."""
    table(
        [
            {
                "feature": row["feature"],
                "verdict": "",
                "red since": row["since"],
                "course": row["course"],
                **features.told(row),
                "missing": f"{percent(row['missing_reference'])} → {percent(row['missing_current'])}",
                "new values": count(row["new_categories"]),
                "rows": row["origin"],
            }
            for row in found
        ],
        key="watch-table",
        alt="Features of the newest windows with their change, threshold, verdict and course",
        columns={"course": st.column_config.LineChartColumn("last windows", help="The change, window by window.")},
    )


def accept(context: Context, watch: Watch, row: Mapping[str, Any]) -> None:
    """Offer to accept the drift of a feature for a while, or to accept it no longer."""
    feature = str(row["feature"])
    if feature in watch.accepted:
        command(
            context,
            "Accept no longer",
            path="/audits/drift/withdraw",
            key="drift-withdraw",
            scope=Scope.JOB_RUN,
            body={"surface": watch.surface, "feature": feature},
            icon=":material/undo:",
            what=f"From the next window on, drift of {safe(feature)} counts again.",
        )
        return
    if not row["red"]:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        term = st.selectbox(
            "For", list(TERMS), index=1, key="accept-term", width=140, help="Until when it is accepted."
        )
        command(
            context,
            "Accept this drift",
            path="/audits/drift/accept",
            key="drift-accept",
            scope=Scope.JOB_RUN,
            body={"surface": watch.surface, "feature": feature, "until": context.now + TERMS[term]},
            icon=":material/task_alt:",
            what=f"Drift of {safe(feature)} is still shown; from the next window on it weighs nothing, for {term} or "
            "until the reference changes. Your name and reason stand beside it.",
        )


def refer(context: Context, watch: Watch) -> None:
    """Offer to say what is normal."""
    now = context.now // MINUTE * MINUTE
    spans = {name: (now - long, now) for name, long in SPANS.items()}
    spans |= {f"28 days before {name} was made": (at - 28 * DAY, at) for name, at in watch.changed.items()}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            "What is normal",
            list(spans),
            key="reference-span",
            width=300,
            help="Whose rows all later windows are held against.",
        )
        origins = st.multiselect(
            "Rows",
            ["live", "simulated", "imported"],
            default=["live", "simulated"],
            key="reference-rows",
            width=280,
            help="Where its rows come from; simulated ones come from a click model.",
        )
        start, end = spans[chosen]
        command(
            context,
            "Set reference",
            path="/audits/drift/references",
            key="drift-reference",
            scope=Scope.JOB_RUN,
            body={"surface": watch.surface, "reference": {"start": start, "end": end, "origins": origins}},
            icon=":material/flag:",
            what=f"Windows of {safe(watch.surface)} are held against {safe(chosen)} from now on. It is numbered and "
            "kept without rows; what was accepted against the one before lapses.",
        )
