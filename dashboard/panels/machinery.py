"""Panels of the System page."""

import streamlit as st

from dashboard.context import Context
from dashboard.panels.deciders import proof
from dashboard.queries.system import SystemState
from dashboard.text import ago, count, digits, safe, short, stamp
from dashboard.widgets import empty, note, table, verdict

DAY_US = 86_400_000_000
MINUTE_US = 60_000_000
PLUGIN_STATES = {"closed": "asked", "half": "tried again", "open": "left alone", "broken": "broken, skipped"}


def cards(context: Context) -> int | None:
    """Draw what the control API says of itself; return how many bytes the lake may hold, where it says so."""
    found = context.control.get("/system")
    one, two, three, four, five = st.columns(5)
    one.metric(
        "Version",
        str(found["version"]),
        delta=str(found["environment"]),
        delta_color="off",
        delta_arrow="off",
        help="Of control; each replica names its own.",
    )
    two.metric(
        "Revision",
        count(found["revision"]),
        delta=f"consent epoch {count(found['consent_epoch'])}",
        delta_color="off",
        delta_arrow="off",
        help="The newest numbered state of control.",
    )
    switch = found["kill_switch"]
    three.metric(
        "Kill switch",
        "ON" if switch["on"] else "off",
        delta=f"since {stamp(switch['since'])}" if switch["on"] else "policies are served",
        delta_color="off",
        delta_arrow="off",
        help="While on, everyone gets the default experience.",
    )
    disk = found["disk"]
    free = disk["free"] / disk["total"] if disk["total"] else 0.0
    four.metric(
        "Disk free",
        f"{digits(disk['free'] / 2**30)} GiB",
        delta=f"{free:.0%} of {digits(disk['total'] / 2**30)} GiB",
        delta_color="off",
        delta_arrow="off",
        help="Of the disk that holds the home folder.",
    )
    head = found.get("ledger_head")
    seq = head.get("seq") if isinstance(head, dict) else head
    five.metric(
        "Ledger",
        count(seq if isinstance(seq, int) else None),
        delta="entries",
        delta_color="off",
        delta_arrow="off",
        help="Entries of the chain; verify it on the Audit log page.",
    )
    most = found.get("lake_bytes")
    return int(most) if most else None


def heartbeats(context: Context, found: SystemState) -> None:
    """Draw the schedule."""
    if not found.heartbeats:
        empty("No scheduled task has reported.", "`fairlead control` runs the schedule.")
        return
    late = [one for one in found.heartbeats if one.late(context.now) or one.error]
    with st.container(horizontal=True, vertical_alignment="center"):
        verdict("warn" if late else "pass")
        st.markdown(f"{len(found.heartbeats) - len(late)} of {len(found.heartbeats)} tasks run on time.")
    table(
        [
            {
                "task": one.name,
                "state": "late" if one.late(context.now) else "failing" if one.error else "on time",
                "every": f"{digits(one.every_s)} s",
                "last run": ago(one.last_run, context.now),
                "last success": ago(one.last_ok, context.now),
            }
            for one in sorted(found.heartbeats, key=lambda one: (not one.late(context.now), not one.error, one.name))
        ],
        key="heartbeats-table",
        alt="Scheduled tasks with their last run and last success",
    )
    for one in late:
        note(f"{safe(one.name)}: {safe(one.error or 'three runs are missing', limit=200)}")


def jobs(context: Context, found: SystemState) -> None:
    """Draw the latest jobs."""
    if not found.jobs:
        empty("No job has been asked for.", "Start an audit on the Fairness or the Drift page.")
        return
    table(
        [
            {
                "job": one.name,
                "state": one.state,
                "asked": ago(one.created_at, context.now),
                "by": one.requested_by,
                "took": f"{digits((one.finished_at - one.started_at) / 1e6)} s"
                if one.finished_at and one.started_at
                else "–",
                "error": one.error or "",
            }
            for one in found.jobs
        ],
        key="jobs-table",
        alt="The latest jobs with their state",
    )


def replicas(context: Context, found: SystemState) -> None:
    """Draw every replica of the last day."""
    recent = [one for one in found.replicas if context.now - one.at < DAY_US]
    if not recent:
        empty("No engine reported within a day.", "`fairlead up` starts one.")
        return
    table(
        [
            {
                "replica": one.replica,
                "state": "ready" if one.ready and context.now - one.at < 10_000_000 else "silent or not ready",
                "heard": ago(one.at, context.now),
                "up since (UTC)": stamp(one.started_at or None, seconds=False),
                "revision": one.revision,
                "epoch": one.consent_epoch,
            }
            for one in recent
        ],
        key="replicas-table",
        alt="Replicas with state and age of the last report",
    )


def plugins(context: Context, found: SystemState) -> None:
    """Draw the plugins of every replica that was heard within a minute."""
    rows = [
        {
            "plugin": name.replace(".", " ", 1),
            "version": shown.get("version", ""),
            "replica": one.replica,
            "state": PLUGIN_STATES.get(shown.get("state", ""), "unknown"),
            "answered": shown.get("ok"),
            "failed": shown.get("error"),
            "too slow": shown.get("timeout"),
            "not asked": shown.get("open_circuit"),
            "last trouble": safe(shown.get("trouble", ""), limit=200),
        }
        for one in found.replicas
        if context.now - one.at < MINUTE_US
        for name, shown in one.details.get("plugins", {}).items()
    ]
    if not rows:
        empty("No plugin is installed.", "A Python package adds one by an entry point; `examples/plugin` shows how.")
        return
    well = sum(row["state"] == "asked" for row in rows)
    with st.container(horizontal=True, vertical_alignment="center"):
        verdict("pass" if well == len(rows) else "warn")
        st.markdown(f"{well} of {len(rows)} plugins are asked.")
    table(rows, key="plugins-table", alt="Plugins of each engine with state, counts and the last trouble")


def models(found: SystemState) -> None:
    """Draw the registry."""
    if not found.models:
        empty("No model has been trained.", "`fairlead train` trains one from the lake.")
        return
    table(
        [
            {
                "model": one.name,
                "version": one.version,
                "in service": "yes" if found.in_service.get(one.name) == one.version else "no",
                "confidence": one.calibration.status,
                "members": one.members,
            }
            for one in found.models
        ],
        key="models-table",
        alt="Model versions with service and calibration",
    )
    for one in found.models:
        if found.in_service.get(one.name) == one.version:
            note(f":material/incomplete_circle: {proof(one.calibration)}.")


def lake(found: SystemState) -> None:
    """Draw the lake's files and the imports."""
    if not found.files:
        empty("The lake is empty.", "`fairlead import open-bandit` fills it.")
        return
    table(
        [
            {
                "kind": one.kind,
                "origin": one.origin,
                "files": one.files,
                "rows": one.rows,
                "size": f"{short(one.bytes)}B",
            }
            for one in found.files
        ],
        key="lake-table",
        alt="Files of the lake by kind and origin",
    )
    for one in found.imports:
        note(f"Import {one.name}: {count(one.rows)} rows, {count(one.refused)} refused, {stamp(one.at)} UTC")
