"""Panels of the Checks page."""

from collections.abc import Sequence

import streamlit as st

from dashboard.commands import command
from dashboard.context import Context
from dashboard.figures.strips import WORDS, strips
from dashboard.panels import over_time
from dashboard.queries.checks import Line, counted
from dashboard.text import ago, lasting, safe, stamp
from dashboard.widgets import chart, empty, note, said, table
from storage.records.access import Scope

WHAT = "Every check looks at once, without waiting for its turn. Nothing but the verdicts changes."
HELP = {
    "fail": "Checks that show harm: act on these first.",
    "warn": "Checks that found something which deserves a look, but no harm yet.",
    "unknown": "Checks that have too little data, or could not look. That is never counted as fine.",
    "pass": "Checks that looked and found nothing.",
}


def cards(context: Context, found: Sequence[Line]) -> None:
    """Draw how many checks say what."""
    counts = counted(found)
    for column, (word, text) in zip(st.columns(4), HELP.items(), strict=True):
        column.metric(WORDS[word].capitalize(), counts[word], help=text)  # type: ignore[index]  # the same four words
    stale = [line for line in found if line.stale(context.now)]
    if stale and len(stale) == len(found):
        empty("No check has looked lately.", "`fairlead control` runs the schedule; Look now asks them all at once.")
    elif stale:
        note(f":material/schedule: {len(stale)} of {len(found)} checks have not looked lately.")


def look_now(context: Context) -> None:
    """Offer to let all checks look."""
    command(
        context,
        "Look now",
        path="/checks/run",
        key="checks-run",
        scope=Scope.JOB_RUN,
        what=WHAT,
        icon=":material/radar:",
    )


def attention(context: Context, found: Sequence[Line]) -> None:
    """Say what deserves attention, in words, the gravest first."""
    grave = [line for line in found if line.verdict in {"fail", "warn"}]
    if not grave:
        known = any(line.verdict == "pass" for line in found)
        said("pass" if known else "unknown", "No check shows harm or asks for a look.")
    for line in grave:
        since = f"for {lasting(context.now - line.last.since)}" if line.last else ""
        said(line.verdict, f"**{safe(line.check.title)}**, {since}: {safe(line.sentence, limit=400)}")
    blind = [line.check.title for line in found if line.verdict == "unknown"]
    if blind:
        told = f"{len(blind)} of {len(found)} checks cannot tell: {safe(', '.join(blind), limit=300)}. "
        said("unknown", told + "What each of them needs stands below.")


def timeline(context: Context, found: Sequence[Line]) -> None:
    """Draw what each check said over the range."""
    if not any(line.stretches for line in found):
        empty("No check looked in this range.", "Choose a range that includes now.")
        return
    grave = [line.check.title for line in found if line.verdict == "fail"]
    beside = over_time.happened(context, start=context.span.start, end=context.span.end)
    chart(
        strips(found, context.look, start=context.span.start, end=context.span.end, marks=beside.marks),
        key="checks-strips",
        alt=f"Verdicts of {len(found)} checks over {context.span.key}; harm now: {', '.join(grave) or 'none'}",
        rows=lambda: [
            {
                "check": line.check.name,
                "verdict": one.verdict,
                "since (UTC)": stamp(one.since),
                "seen (UTC)": stamp(one.seen),
                "sentence": one.sentence,
            }
            for line in found
            for one in line.stretches
        ],
        marks=beside.marks,
    )


def listed(context: Context, found: Sequence[Line]) -> None:
    """Draw every check with its question and its last word."""
    table(
        [
            {
                "check": line.check.title,
                "says": WORDS[line.verdict],
                "in words": line.sentence,
                "since": ago(line.last.since if line.last else None, context.now),
                "looked": ago(line.last.seen if line.last else None, context.now),
                "every": lasting(line.check.every_s * 1e6),
                "question": line.check.question,
            }
            for line in found
        ],
        key="checks-table",
        alt="Every check with its question, its last verdict and how long it has said so",
    )
