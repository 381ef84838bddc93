"""Panels of the Consent page about the probe: a subject that has opted out and keeps asking."""

import streamlit as st

from dashboard.context import Context
from dashboard.queries.consent import ProbeState
from dashboard.text import ago, count, milliseconds, safe, stamp
from dashboard.widgets import empty, note, said, table


def asked(context: Context, found: ProbeState) -> None:
    """Say what the probe was answered, and list every violation that was ever found."""
    personalized = found.results.get("personalized", 0)
    total = sum(found.results.values())
    if found.violations:
        said("fail", f"{count(len(found.violations))} decisions broke an opt-out. Throw the kill switch, then look.")
    elif not total:
        said("unknown", "The probe has not asked in a day.")
        empty("Control asks every replica four times a minute.", "It needs a replica that reports and a policy.")
        return
    elif found.results.get("no_answer", 0) == total:
        said("unknown", "No replica answered the probe.")
    else:
        alone = found.results.get("left_alone", 0)
        said("pass", f"asked {count(total)} times in a day: {count(alone)} times left alone, never personalized.")
    if (silent := found.results.get("no_answer", 0)) and not personalized:
        note(f"{count(silent)} times there was no answer, which proves nothing either way.")
    if found.violations:
        table(
            [
                {
                    "decision": one.decision_id,
                    "found by": one.detector,
                    "replica": one.replica,
                    "decided at (UTC)": stamp(one.at),
                    "opt-out (epoch)": one.epoch,
                }
                for one in found.violations
            ],
            key="violations-table",
            alt="Decisions that were personalized although their person had opted out",
        )
    newest = {one.replica: one for one in reversed(found.latest)}
    for replica, one in sorted(newest.items()):
        note(f"{safe(replica)}: {one.result.replace('_', ' ')} ({safe(one.reason)}), {ago(one.at, context.now)}")


def measured(found: ProbeState) -> None:
    """Say how soon the probe's own withdrawals held, measured from outside."""
    times = sorted(one.enforced_us for one in found.withdrawals if one.enforced_us is not None)
    if not times:
        empty("No withdrawal was measured yet.", "The probe opts in and out again once an hour.")
        return
    late = sum(one > 1_000_000 for one in times)
    with st.container(horizontal=True):
        st.metric(
            "Half hold within", milliseconds(times[len(times) // 2] / 1e6), help="Median over replicas and withdrawals."
        )
        st.metric("At most", milliseconds(times[-1] / 1e6), help="The slowest replica and withdrawal of 30 days.")
    note(
        f"Measured in 30 days: {count(len(times))}, above 1 s: {count(late)}. From the command to the first answer "
        "that leaves the probe alone, so it holds all of what a person would wait for."
    )
