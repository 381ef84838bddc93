"""What the latest retrainings did, step by step, and how far people's feedback was trusted."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboard.cached import read
from dashboard.commands import command
from dashboard.context import Context
from dashboard.panels.audits import GOING
from dashboard.queries import models
from dashboard.text import ago, count, percent, safe, stamp
from dashboard.widgets import empty, note, state, table
from storage.records.access import Scope
from storage.records.findings import Job

KINDS: Mapping[str, str] = {
    "minor": "Minor (hourly): calibration, bandits, factors",
    "major": "Major (daily): boosters, hybrid, embeddings, forecasts of people",
}


def runs(context: Context) -> None:
    """Draw the newest minor and major retraining, and offer the next."""
    found = read(context, models.retrainings)
    with st.container(horizontal=True, vertical_alignment="center"):
        for kind in KINDS:
            command(
                context,
                f"Retrain now, {kind}",
                path="/jobs",
                key=f"retrain-{kind}",
                scope=Scope.JOB_RUN,
                body={"name": models.RETRAIN, "arguments": {"kind": kind}},
                icon=":material/model_training:",
                what=f"{KINDS[kind]}. It runs as a job of control, each model by itself; what is not worse than what "
                "serves goes into service.",
            )
        for job in [each for each in found if each.state in GOING][:2]:
            state(job.state)
            note(f"{safe(job.arguments.get('kind', ''))}, asked {ago(job.created_at, context.now)}")
    if not found:
        empty("No retraining has run yet.", "The first begins at the next full hour, or when you start one above.")
    for kind, title in KINDS.items():
        last = models.latest(found, kind)
        if last is not None:
            _run(context, last, title=title, kind=kind)
    past = [one for one in found if one.finished_at is not None]
    if past:
        with st.expander(f"The last {count(len(past))} retrainings"):
            table(
                [_row(one) for one in past], key="retrainings-table", alt="Every retraining with its slot and outcome"
            )


def _row(one: Job) -> dict[str, object]:
    steps = (one.result or {}).get("steps", ())
    counted = {word: sum(step.get("state") == word for step in steps) for word in ("trained", "skipped", "failed")}
    return {
        "slot": str(one.arguments.get("slot", "by hand")),
        "kind": str(one.arguments.get("kind", "")),
        "ended (UTC)": stamp(one.finished_at),
        "state": one.state,
        **counted,
        "in service": sum(bool((step.get("promotion") or {}).get("promoted")) for step in steps),
        "asked by": one.requested_by,
        "error": one.error or "",
    }


def _run(context: Context, job: Job, *, title: str, kind: str) -> None:
    slot = f", slot {safe(job.arguments['slot'])}" if job.arguments.get("slot") else ", asked by hand"
    st.markdown(f"**{title}**")
    note(f"ended {ago(job.finished_at, context.now)}{slot}, by {safe(job.requested_by)}")
    if job.error:
        st.markdown(f":red-badge[:material/close: failed] {safe(job.error, limit=300)}")
        return
    steps = (job.result or {}).get("steps", ())
    table(
        [
            {
                "step": str(one.get("step", "")),
                "state": str(one.get("state", "")),
                "in service": came_of_it(one),
                "in words": str(one.get("reason", "")),
                "evaluation": str(one.get("evaluation", "")),
                "seconds": f"{float(one.get('seconds') or 0.0):.1f}",
            }
            for one in steps
        ],
        key=f"steps-{kind}",
        alt=f"Steps of the latest {kind} retraining: "
        + ", ".join(f"{one.get('step')} {one.get('state')}" for one in steps),
    )


def came_of_it(step: Mapping[str, Any]) -> str:
    """Say whether what a step made went into service.

    >>> came_of_it({"promotion": {"promoted": False}}), came_of_it({"promotion": None})
    ('no', '–')
    """
    told = step.get("promotion")
    return "–" if not isinstance(told, Mapping) else "yes" if told.get("promoted") else "no"


def feedback(context: Context) -> None:
    """Draw how many people's feedback weighs less, and why."""
    found = models.feedback(read(context, models.retrainings), read(context, models.models).versions)
    if found is None:
        empty("Feedback was not judged yet.", "Each retraining does so.")
        return
    at, told = found
    people, down = int(told.get("people") or 0), int(told.get("weighted_down") or 0)
    note(f"judged {ago(at, context.now)}, over the last 90 days")
    if not people:
        empty("Nobody whose feedback may be kept gave any.", "Feedback needs events with a person and an item.")
        return
    one, two = st.columns(2)
    one.metric("People who gave feedback", count(people), help="With tracking allowed, in the last 90 days.")
    two.metric(
        "Weighted down",
        count(down),
        delta=percent(down / people),
        delta_color="off",
        delta_arrow="off",
        help="People whose feedback counts less than 95 % in training, and by how much is decided person by person.",
    )
    sentences = told.get("signals") or {}
    table(
        [
            {"sign": str(sentences.get(name, name)).replace("_", " ").capitalize(), "people weighed down by it": int(n)}
            for name, n in (told.get("reasons") or {}).items()
        ],
        key="feedback-table",
        alt="Signs of feedback that is no taste, with how many people each weighs down",
    )
    note("A share counts as suspicious only where chance is ruled out, so a few odd answers condemn nobody.")
