"""System: whether all that must run runs, and what is full, late or refused."""

import streamlit as st

from dashboard.cached import read
from dashboard.context import Context
from dashboard.panels import machinery, shelves, upkeep
from dashboard.queries import system
from dashboard.queries import upkeep as looked
from dashboard.widgets import panel


def page(context: Context) -> None:
    """Draw the page."""
    found = read(context, system.state)
    limit: int | None = None
    with panel("", help="", key="cards"):
        limit = machinery.cards(context)
    with panel(
        "Doctor",
        help="What `fairlead doctor` says, asked of the running control process: PASS, WARN or FAIL, with the remedy.",
        key="doctor",
    ):
        upkeep.doctor(context)
    left, right = st.columns(2)
    with (
        left,
        panel(
            "Scheduled work",
            help="Each task with when it last ran and last succeeded. Late: three runs are missing.",
            key="heartbeats",
        ),
    ):
        machinery.heartbeats(context, found)
    with right, panel("Jobs", help="Heavy work in child processes: training, audits, compaction.", key="jobs"):
        machinery.jobs(context, found)
    left, right = st.columns(2)
    with left, panel("Replicas", help="Each engine that reported within a day.", key="replicas"):
        machinery.replicas(context, found)
    with (
        right,
        panel(
            "Models",
            help="Versions in the registry; the calibration decides whether confidence may be used.",
            key="models",
        ),
    ):
        machinery.models(found)
    with panel(
        "Plugins",
        help="Installed packages that decide with us. One that fails or is too slow five times in a row is left alone "
        "for ten seconds, then tried again; decisions go on without it. Counts are since the engine's start.",
        key="plugins",
    ):
        machinery.plugins(context, found)
    with panel(
        "Collectors",
        help="Each engine's counts (metrics) and log (journal): when they were last read in full, and what of the last "
        "24 hours nobody collected. Late: not read for over 30 s. Source: the collectors' own notes.",
        key="collected",
    ):
        upkeep.collected(context, read(context, looked.collected, now=context.now))
    with panel(
        "What is kept",
        help="Rows, bytes and the oldest of each kind, against the days and bytes after which retention deletes them.",
        key="kept",
    ):
        upkeep.kept(context, read(context, looked.holdings_of, now=context.now), most=limit)
    left, right = st.columns(2)
    with (
        left,
        panel(
            "Lake and imports",
            help="Parquet files of the manifest by kind and origin, and what imports brought or refused.",
            key="lake",
        ),
    ):
        machinery.lake(found)
    with (
        right,
        panel(
            "Dead letters",
            help="Events that were refused, with the reason and the field; newest first. Sending them again is entered "
            "in the ledger.",
            key="dead-letters",
        ),
    ):
        upkeep.dead_letters(context, found, read(context, looked.letters))
    with panel(
        "Catalogue",
        help="What may be shown, where it comes from, and what the latest syncs added, changed and refused.",
        key="catalogue",
    ):
        shelves.catalogue(context, found)
    with panel(
        "Candidates by source",
        help="Last day. A candidate counts for the source that brought it first; shown is what was chosen of them.",
        key="sources",
    ):
        shelves.sources(context)
