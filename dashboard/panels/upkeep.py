"""What ops look after: the doctor's findings, what is kept against its limit, what was missed, refused events."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from dashboard.commands import command
from dashboard.context import Context
from dashboard.queries.system import SystemState
from dashboard.queries.upkeep import Collected, Holdings
from dashboard.text import ago, count, lasting, plain, safe, short, stamp
from dashboard.widgets import empty, note, said, table, verdict
from storage.records.access import Scope
from storage.records.clock import HOUR, SECOND, moment

WORDS: Mapping[str, str] = {"PASS": "pass", "WARN": "warn", "FAIL": "fail"}
MARKS: Mapping[str, str] = {"PASS": "✓ fine", "WARN": "▲ look", "FAIL": "✕ mend"}
FOUND = "doctor's findings"
MOST = 8
HELD = HOUR
"""So long an engine holds its closed windows."""


def doctor(context: Context) -> None:
    """Draw what the doctor finds; it looks when it is asked."""
    if st.button("Examine now", key="examine", icon=":material/stethoscope:", help="Takes a few seconds."):
        st.session_state[FOUND] = context.control.get("/system/doctor")
    found = st.session_state.get(FOUND)
    if found is None:
        empty("Nobody asked the doctor yet.", "It looks at versions, keys, disk, database, replicas, schedule, ledger.")
        return
    rows: Sequence[Mapping[str, Any]] = found["findings"]
    worst = next((word for word in ("FAIL", "WARN") if any(one["verdict"] == word for one in rows)), "PASS")
    with st.container(horizontal=True, vertical_alignment="center"):
        verdict(WORDS[worst])
        well = sum(one["verdict"] == "PASS" for one in rows)
        st.markdown(f"{well} of {len(rows)} findings are fine, {ago(found['at'], context.now)}.")
    order = ("FAIL", "WARN", "PASS")
    table(
        [
            {
                "": MARKS.get(str(one["verdict"]), plain(one["verdict"], 20)),
                "check": plain(one["check"], 60),
                "found": plain(one["found"], 300),
                "what to do": plain(one["remedy"], 300) or "–",
            }
            for one in sorted(rows, key=lambda one: order.index(one["verdict"]) if one["verdict"] in order else 0)
        ],
        key="doctor-table",
        alt="Findings of the doctor with verdict and remedy, the worst first",
    )


def kept(context: Context, found: Holdings, *, most: int | None) -> None:
    """Draw how much is kept of each kind, and how far back, against what may be kept."""
    late = [one for one in found.kinds if one.overdue]
    full = most is not None and most > 0 and found.lake_bytes > most
    with st.container(horizontal=True, vertical_alignment="center"):
        verdict("warn" if late or full else "pass")
        of = f" of {short(most)}B ({found.lake_bytes / most:.1%})" if most else ", no limit"
        st.markdown(f"The lake holds {short(found.lake_bytes)}B{of}.")
    table(
        [
            {
                "kind": one.kept.kind.replace("_", " "),
                "rows": "not counted" if one.kept.rows is None else count(one.kept.rows),
                "size": "–" if one.kept.bytes is None else f"{short(one.kept.bytes)}B",
                "oldest (UTC)": "–" if one.kept.oldest is None else stamp(one.kept.oldest, seconds=False),
                "age": "–" if one.kept.oldest is None else lasting(max(context.now - one.kept.oldest, 0)),
                "kept for": f"{one.days} days",
                "": "should be gone" if one.overdue else "",
            }
            for one in found.kinds
        ],
        key="kept-table",
        alt="What is kept by kind, how far back it goes, and after how many days it goes",
    )
    note(
        f"Exports of people go after {found.limits.exports_days} days. Sums outlive rows: cells and tiers stay when "
        "the rows behind them go. Rows of imports count from the import. Settings: `retention`, "
        "`FAIRLEAD_RETENTION_MAX_BYTES`."
    )
    said(
        "unknown",
        "Backups and restore tests: unknown. Fairlead makes none and hears of none; what has to be saved is the "
        "database, `keys/`, `anchors/`, `lake/`, `models/`.",
    )


def collected(context: Context, found: Collected) -> None:
    """Draw what came of asking each engine, and what is missing of the last day."""
    if not found.sources:
        empty("No engine was ever asked.", "Control asks them while it leads the schedule: `fairlead doctor`.")
        return
    late = [one for one, how in found.sources if how == "late"]
    lost = sum(one.lost for one, _ in found.sources)
    missing = found.missing_us
    with st.container(horizontal=True, vertical_alignment="center"):
        verdict("warn" if late or lost or missing else "pass")
        gone = f"{lasting(missing)} of the last 24 h are missing" if missing else "the last 24 h have no gap"
        st.markdown(f"{len(late)} of {len(found.sources)} sources are late, {gone}.")
    table(
        [
            {
                "replica": plain(one.replica, 60),
                "what": one.what,
                "state": {"in time": "✓ in time", "late": "▲ late", "gone": "gone for over a day"}[how],
                "last read": ago(one.last_ok, context.now) if one.last_ok else "never",
                "answer": one.result,
                "clock": f"{one.skew_us / SECOND:+.1f} s",
                "lost entries": one.lost,
                "refused samples": sum(one.rejected.values()),
                "trouble": plain(one.detail, 120) or "–",
            }
            for one, how in found.sources
        ],
        key="collected-table",
        alt="Each engine's metrics and journal: when last read, with what answer, what was lost",
    )
    if found.gaps:
        table(
            [
                {
                    "from": _clock(gap.start, context.span.zone),
                    "to": _clock(gap.end, context.span.zone),
                    "missing": lasting(gap.end - gap.start),
                    "backfill": "not whole: nobody holds these windows any more"
                    if context.now - gap.end > HELD
                    else "may still be read",
                }
                for gap in sorted(found.gaps, key=lambda gap: -gap.start)[:MOST]
            ],
            key="gaps-table",
            alt="Stretches of the last day of which no engine's counts were collected",
        )
    note(
        "After a break the collector goes on where it stopped: it reads what engines still hold, so that a short break "
        "leaves no gap. What they no longer held is a gap, drawn as one on every chart, never as zero."
    )


def _clock(at: int, zone: str) -> str:
    local: datetime = moment(at).astimezone(ZoneInfo(zone))
    return f"{local.day} {local:%b %H:%M:%S}"


def dead_letters(context: Context, found: SystemState, codes: Mapping[str, int]) -> None:
    """Draw refused events, and offer to send those of one kind again."""
    if not found.dead_letters:
        empty("No event was refused.", "Events that are malformed or far off the clock would be listed here.")
        return
    st.markdown(f"{count(found.dead_letter_count)} in all, the newest {len(found.dead_letters)}:")
    table(
        [
            {"received (UTC)": stamp(one.received_at), "code": one.code, "field": one.field, "reason": one.reason}
            for one in found.dead_letters
        ],
        key="dead-letters-table",
        alt="Refused events with field and reason",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        code = st.selectbox(
            "Send again",
            list(codes),
            format_func=lambda one: f"{plain(one, 60)} ({count(codes[one])})",
            key="requeue-code",
            width=260,
            help="Refused events of one kind, once what they were refused for is mended.",
        )
        if code:
            command(
                context,
                "Requeue",
                path="/system/dead-letters/requeue",
                key="requeue",
                scope=Scope.POLICY_APPLY,
                body={"code": code},
                icon=":material/replay:",
                what=f"Sends up to 500 events refused as {safe(code)} to an engine again, oldest first, as live ones, "
                "at the time they came. They go without their person, session and properties: nothing of those is "
                "kept. What is refused anew stands here again; none is counted twice.",
                keep="requeued",
            )
    told = st.session_state.get("requeued")
    if told:
        note(
            f"Sent {count(told['sent'])}: {count(told['taken'])} stored, {count(told['duplicates'])} were there "
            f"already, {count(told['refused'])} refused anew; {count(told['unreadable'])} are no whole events and stay."
        )
