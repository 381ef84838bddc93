"""The replicas of the Live page."""

import streamlit as st

from dashboard.cached import current
from dashboard.context import Context
from dashboard.panels.vitals import WAY_OUT
from dashboard.queries import fleet, overview
from dashboard.queries.fleet import Known
from dashboard.text import ago, digits, stamp
from dashboard.widgets import empty, table
from storage.records.clock import SECOND


def _skew(one: Known) -> str:
    return "–" if one.skew_us is None else f"{digits(one.skew_us / SECOND)} s"


def replicas(context: Context) -> None:
    """Draw the replicas."""
    alive = current(context, overview.liveness)
    if not alive.replicas:
        empty("No engine has reported within 10 s.", WAY_OUT)
        return
    st.markdown(alive.sentence.capitalize())
    known = current(context, fleet.known)
    table(
        [
            {
                "replica": one.replica,
                "state": "ready" if one.ready else "not ready",
                "version": known.get(one.replica, Known()).version or "–",
                "revision": one.revision,
                "consent epoch": one.consent_epoch,
                "up since (UTC)": stamp(one.started_at or None),
                "heard": ago(one.at, context.now),
                "clock off by": _skew(known.get(one.replica, Known())),
                "boot": one.boot_id[:8],
                "address": one.url,
            }
            for one in alive.replicas
        ],
        key="replicas-table",
        alt="Replicas with version, revision, consent epoch, clock and age of the last report",
        columns={"address": st.column_config.TextColumn()},
    )
