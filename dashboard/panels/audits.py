"""What fairness and drift pages share: start a run, choose one, its verdict in words, the history."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import streamlit as st

from dashboard.cached import read
from dashboard.commands import command
from dashboard.context import Context
from dashboard.queries import findings
from dashboard.text import ago, count, lasting, safe, stamp
from dashboard.widgets import VERDICTS, note, said, state, table
from storage.records.access import Scope
from storage.records.findings import Audit, Job

GOING = frozenset({"queued", "running"})
NEWEST = ""
"""What is chosen where no run is."""


def start(
    context: Context, name: str, what: str, *, label: str = "Run audit", arguments: Mapping[str, Any] | None = None
) -> None:
    """Offer to run the audit as a job, and show how the last job goes."""
    jobs = read(context, findings.recent_jobs, name=name, limit=1)
    with st.container(horizontal=True, vertical_alignment="center"):
        command(
            context,
            label,
            path="/jobs",
            key=f"run-{name}",
            scope=Scope.JOB_RUN,
            body={"name": name, "arguments": dict(arguments or {})},
            icon=":material/play_arrow:",
            what=f"{what} It runs as a job of control; this page shows it when it is done.",
        )
        if jobs:
            last = jobs[0]
            state(last.state)
            took = (
                f", took {lasting(last.finished_at - last.started_at)}" if last.finished_at and last.started_at else ""
            )
            note(f"last job asked {ago(last.created_at, context.now)} by {safe(last.requested_by)}{took}")
            if last.error:
                st.markdown(f":small[:red[{safe(last.error, limit=300)}]]")
    if jobs:
        follow(context, jobs[0], awaited="result")


def follow(context: Context, job: Job, *, awaited: str) -> None:
    """Say, while a job goes on, that what is ``awaited`` of it will be shown; draw the page anew as it goes on."""
    if job.state in GOING:
        st.fragment(_watch, run_every=2)(context, job.job_id, job.state, awaited)


def _watch(context: Context, job_id: str, before: str, awaited: str) -> None:
    with context.database.read() as session:
        job = findings.job(session, job_id=job_id)
    if job is not None and job.state != before:
        st.cache_data.clear()
        st.rerun()
    word = "waits for its turn" if before == "queued" else "is at work"
    note(f":material/hourglass_empty: The job {word}; this page shows its {awaited} by itself.")


def _worded(audit: Audit) -> str:
    return VERDICTS[audit.verdict][1]


def choose(found: Sequence[Audit], *, key: str, named: Callable[[Audit], str] = _worded) -> Audit:
    """Return the run that is shown: the newest, whichever it is by then, until another is chosen.

    A choice ends when something is asked for. ``found`` has the newest first, ``named`` tells a run in a few words.
    """
    by_id = {one.audit_id: one for one in found}
    turn = st.session_state.get("turn", 0)
    if st.session_state.get(f"{key} turn", turn) != turn:
        st.session_state[key] = NEWEST
    st.session_state[f"{key} turn"] = turn

    def words(each: str) -> str:
        one = by_id[each] if each else found[0]
        return f"{'' if each else 'newest: '}{stamp(one.at, seconds=False)} UTC, {named(one)}"

    chosen = st.selectbox(
        "Run",
        [NEWEST, *by_id],
        format_func=words,
        key=key,
        bind="query-params",
        width=560,
        help="Each run is an immutable snapshot. The newest one is shown as soon as it has ended.",
    )
    return by_id.get(chosen or NEWEST, found[0])


def population(name: str, value: Any) -> str:
    r"""Return one part of what was looked at, in words; empty where nothing was asked.

    >>> population("reference", {"start": 0, "end": 1, "rows": 1200})
    'reference 1970\\-01\\-01 00\\:00 to 1970\\-01\\-01 00\\:00, 1,200 rows'
    """
    title = safe(name.replace("_", " "))
    if isinstance(value, bool) or value is None or value in ("", [], ()):
        return title if value else ""
    if name == "note":
        return safe(str(value).rstrip("."), limit=200)
    if isinstance(value, Mapping) and {"start", "end", "rows"} <= value.keys():
        first, last = (safe(stamp(value[side], seconds=False)) for side in ("start", "end"))
        return f"{title} {first} to {last}, {count(value['rows'])} rows"
    if name in {"start", "end"} and isinstance(value, int):
        return f"{title} {safe(stamp(value, seconds=False))}"
    if isinstance(value, list | tuple):
        return f"{title} {safe(', '.join(str(one) for one in value), limit=200)}"
    return f"{title} {safe(count(value) if isinstance(value, int) else value, limit=200)}"


def head(context: Context, audit: Audit) -> None:
    """Draw the verdict in words and what was looked at."""
    said(audit.verdict, f"**{safe(audit.sentence, limit=500)}**")
    looked = [words for name, value in audit.population.items() if (words := population(name, value))]
    note(" · ".join([f"{stamp(audit.at)} UTC, {ago(audit.at, context.now)}", *looked]))
    for name in audit.artifacts:
        st.download_button(
            f"Save {safe(name)}",
            data=partial(context.control.download, f"/audits/{audit.audit_id}/artifacts/{name}"),
            file_name=name,
            mime="application/octet-stream",
            key=f"artifact-{audit.audit_id}-{name}",
            icon=":material/download:",
            type="tertiary",
            on_click="ignore",
            help="The full report as a file; it is never opened inside this page.",
        )


def looked_at(population: Mapping[str, Any]) -> int | None:
    """Return how many rows an audit looked at: all of them, or those of its two windows.

    >>> looked_at({"reference": {"rows": 3}, "current": {"rows": 4}}), looked_at({"rows": 5}), looked_at({})
    (7, 5, None)
    """
    parts = [population, *(one for one in population.values() if isinstance(one, Mapping))]
    found = [rows for one in parts if isinstance(rows := one.get("rows"), int)]
    return sum(found) if found else None


def history(found: Sequence[Audit], *, key: str) -> None:
    """Draw every run."""
    table(
        [
            {
                "at (UTC)": stamp(one.at),
                "verdict": VERDICTS[one.verdict][1],
                "in words": one.sentence,
                "rows": count(looked_at(one.population)),
                "run": one.audit_id,
            }
            for one in found
        ],
        key=f"history-{key}",
        alt="Every audit run with its verdict",
    )
