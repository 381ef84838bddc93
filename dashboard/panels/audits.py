"""What fairness and drift pages share: start a run, choose one, its verdict in words, the history."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard.cached import read
from dashboard.commands import command
from dashboard.context import Context
from dashboard.queries import findings
from dashboard.text import ago, count, safe, stamp
from dashboard.widgets import VERDICTS, note, state, table, verdict
from storage.records.access import Scope
from storage.records.findings import Audit


def start(context: Context, name: str, what: str) -> None:
    """Offer to run the audit as a job, and show how the last job goes."""
    jobs = read(context, findings.recent_jobs, name=name, limit=1)
    with st.container(horizontal=True, vertical_alignment="center"):
        command(
            context,
            "Run audit",
            path="/jobs",
            key=f"run-{name}",
            scope=Scope.JOB_RUN,
            body={"name": name, "arguments": {}},
            icon=":material/play_arrow:",
            what=f"{what} It runs as a job of control; this page shows it when it is done.",
        )
        if jobs:
            last = jobs[0]
            state(last.state)
            note(f"last job asked {ago(last.created_at, context.now)} by {safe(last.requested_by)}")
            if last.error:
                st.markdown(f":small[:red[{safe(last.error, limit=300)}]]")
            if last.state in {"queued", "running"}:
                st.button("Look again", icon=":material/refresh:", type="tertiary", key=f"look-{name}")


def choose(found: Sequence[Audit], *, key: str) -> Audit:
    """Return the audit that is shown, the newest unless another is asked for."""
    by_id = {one.audit_id: one for one in found}
    chosen = st.selectbox(
        "Run",
        list(by_id),
        format_func=lambda one: f"{stamp(by_id[one].at, seconds=False)} UTC, {VERDICTS[by_id[one].verdict][1]}",
        key=f"audit_{key}",
        bind="query-params",
        width=320,
        help="Each run is an immutable snapshot.",
    )
    return by_id.get(chosen or "", found[0])


def population(name: str, value: Any) -> str:
    r"""Return one part of what was looked at, in words; empty where nothing was asked.

    >>> population("reference", {"start": 0, "end": 1, "rows": 1200})
    'reference 1970\\-01\\-01 00\\:00 to 1970\\-01\\-01 00\\:00, 1,200 rows'
    """
    title = safe(name.replace("_", " "))
    if value is None or value in ("", [], ()):
        return ""
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
    with st.container(horizontal=True, vertical_alignment="center"):
        verdict(audit.verdict)
        st.markdown(f"**{safe(audit.sentence, limit=500)}**")
    looked = [said for name, value in audit.population.items() if (said := population(name, value))]
    note(" · ".join([f"{stamp(audit.at)} UTC, {ago(audit.at, context.now)}", *looked]))
    for name in audit.artifacts:
        if st.button(
            f"Fetch {safe(name)}",
            key=f"artifact-{audit.audit_id}-{name}",
            icon=":material/download:",
            type="tertiary",
            help="The full report as a file; it is never opened inside this page.",
        ):
            st.download_button(
                f"Save {safe(name)}",
                data=context.control.download(f"/audits/{audit.audit_id}/artifacts/{name}"),
                file_name=name,
                mime="application/octet-stream",
                on_click="ignore",
            )


def history(found: Sequence[Audit], *, key: str) -> None:
    """Draw every run."""
    table(
        [
            {
                "at (UTC)": stamp(one.at),
                "verdict": VERDICTS[one.verdict][1],
                "in words": one.sentence,
                "rows": count(one.population.get("rows")) if isinstance(one.population.get("rows"), int) else "–",
                "run": one.audit_id,
            }
            for one in found
        ],
        key=f"history-{key}",
        alt="Every audit run with its verdict",
    )
