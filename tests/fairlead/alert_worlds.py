"""A world for each alert in which it must fire, written as promtool reads it: series, and when to look."""

from collections.abc import Mapping

World = tuple[Mapping[str, str], str]
"""Series by selector, a sample every 15 s (of burns every 2 min), and the time at which the alert must fire."""

AT = 'environment="test",instance="e1",job="fairlead-engine"'
CONTROL = 'environment="test",instance="c1",job="fairlead-control"'
DECISIONS = "fairlead_decision_requests_total"
SECONDS = "fairlead_decision_duration_seconds"

WELL: Mapping[str, str] = {
    f"up{{{AT}}}": "1x320",
    f"up{{{CONTROL}}}": "1x320",
    f"fairlead_ready{{{AT}}}": "1x320",
    f'fairlead_degraded{{reason="consent_stale",{AT}}}': "0x320",
    f'fairlead_degraded{{reason="db",{AT}}}': "0x320",
    f"fairlead_revision{{{AT}}}": "7x320",
    f"fairlead_consent_epoch{{{AT}}}": "9x320",
    f"fairlead_log_backlog{{{AT}}}": "3x320",
    f"fairlead_dead_letters{{{AT}}}": "4x320",
    f"fairlead_clock_seconds{{{AT}}}": "0+15x320",
    f'fairlead_consent_violations_total{{detector="online",{AT}}}': "0x320",
    f'fairlead_cap_overserves_total{{cap="x",{AT}}}': "0x320",
    f'fairlead_decision_records_total{{result="lost",{AT}}}': "0x320",
    f'{DECISIONS}{{campaign="a",outcome="model",reason="ok",{AT}}}': "0+150x320",
    f'{DECISIONS}{{campaign="a",outcome="error",reason="dependency",{AT}}}': "0x320",
    f'{SECONDS}_bucket{{le="0.05",outcome_class="ok",{AT}}}': "0+150x320",
    f'{SECONDS}_bucket{{le="0.2",outcome_class="ok",{AT}}}': "0+150x320",
    f'{SECONDS}_count{{outcome_class="ok",{AT}}}': "0+150x320",
    f'fairlead_events_received_total{{type="click",result="accepted",{AT}}}': "0+30x320",
    f"fairlead_schedule_leader{{{CONTROL}}}": "1x320",
    f'fairlead_jobs{{state="queued",{CONTROL}}}': "2x320",
    f"fairlead_job_oldest_waiting_seconds{{{CONTROL}}}": "5x320",
    f'fairlead_job_period_seconds{{task="poll",{CONTROL}}}': "10x320",
    f'fairlead_job_last_success_timestamp_seconds{{task="poll",{CONTROL}}}': "0+15x320",
    f'fairlead_collector_last_success_timestamp_seconds{{target="e1",what="metrics",{CONTROL}}}': "0+15x320",
    f'fairlead_check_verdict{{check="errors",{CONTROL}}}': "1x320",
    f"fairlead_ledger_anchor_age_seconds{{{CONTROL}}}": "20x320",
    f"fairlead_ledger_unanchored_entries{{{CONTROL}}}": "1x320",
}
"""All is well."""

ILL: Mapping[str, World] = {
    "FairleadEngineDown": ({f"up{{{AT}}}": "1x4 0x40"}, "5m"),
    "FairleadEngineAbsent": ({f"up{{{CONTROL}}}": "1x60"}, "10m"),
    "FairleadControlDown": ({f"up{{{CONTROL}}}": "1x4 0x40"}, "5m"),
    "FairleadControlAbsent": ({f"up{{{AT}}}": "1x60"}, "10m"),
    "FairleadNotReady": ({f"fairlead_ready{{{AT}}}": "1x4 0x40"}, "5m"),
    "FairleadDecisionsSilent": ({f"{DECISIONS}{{{AT}}}": "0+150x280 42000x80"}, "80m"),
    "FairleadEventsSilent": ({f"fairlead_events_received_total{{{AT}}}": "0+30x280 8400x80"}, "80m"),
    "FairleadConsentStale": ({f'fairlead_degraded{{reason="consent_stale",{AT}}}': "0x4 1x40"}, "3m"),
    "FairleadConsentViolated": (
        {f'fairlead_consent_violations_total{{detector="replay",{CONTROL}}}': "_x4 1x40"},
        "3m",
    ),
    "FairleadConsentBehind": (
        {
            f"fairlead_consent_epoch{{{AT}}}": "9x40",
            'fairlead_consent_epoch{environment="test",instance="e2"}': "8x40",
        },
        "5m",
    ),
    "FairleadRevisionBehind": (
        {f"fairlead_revision{{{AT}}}": "9x40", 'fairlead_revision{environment="test",instance="e2"}': "8x40"},
        "5m",
    ),
    "FairleadPolicyStale": ({f'fairlead_degraded{{reason="policy_stale",{AT}}}': "0x4 1x40"}, "5m"),
    "FairleadDegraded": ({f'fairlead_degraded{{reason="redis",{AT}}}': "0x4 1x40"}, "8m"),
    "FairleadCircuitOpen": ({f'fairlead_circuit_state{{dependency="geo",{AT}}}': "2x40"}, "8m"),
    "FairleadCapOverserved": ({f'fairlead_cap_overserves_total{{cap="x",{AT}}}': "0x240 1x40"}, "62m"),
    "FairleadRecordsLost": ({f'fairlead_decision_records_total{{result="lost",{AT}}}': "0x240 3x40"}, "62m"),
    "FairleadLogBacklog": ({f"fairlead_log_backlog{{{AT}}}": "20000x40"}, "5m"),
    "FairleadDeadLetters": ({f"fairlead_dead_letters{{{AT}}}": "0x4 2x60"}, "5m"),
    "FairleadLeaderMissing": ({f"fairlead_schedule_leader{{{CONTROL}}}": "1x4 0x40"}, "5m"),
    "FairleadScheduleLate": (
        {
            f'fairlead_job_period_seconds{{task="poll",{CONTROL}}}': "10x40",
            f'fairlead_job_last_success_timestamp_seconds{{task="poll",{CONTROL}}}': "30x40",
        },
        "5m",
    ),
    "FairleadJobsWaiting": ({f'fairlead_jobs{{state="queued",{CONTROL}}}': "50x60"}, "8m"),
    "FairleadCollectorStale": (
        {f'fairlead_collector_last_success_timestamp_seconds{{target="e1",what="journal",{CONTROL}}}': "30x40"},
        "5m",
    ),
    "FairleadLedgerUnanchored": (
        {
            f"fairlead_ledger_anchor_age_seconds{{{CONTROL}}}": "0+15x60",
            f"fairlead_ledger_unanchored_entries{{{CONTROL}}}": "2x60",
        },
        "10m",
    ),
    "FairleadCheckFails": ({f'fairlead_check_verdict{{check="errors",{CONTROL}}}': "3x40"}, "5m"),
    "FairleadClockSkewed": ({f"fairlead_clock_seconds{{{AT}}}": "5+15x40"}, "5m"),
}
"""One ill in each world; the budgets of objectives have worlds of their own."""

BURNS: Mapping[tuple[str, str], World] = {
    ("availability", "1h"): (
        {
            f'{DECISIONS}{{outcome="model",reason="ok",{AT}}}': "0+800x40",
            f'{DECISIONS}{{outcome="error",reason="dependency",{AT}}}': "0+24x40",
        },
        "62m",
    ),
    ("latency", "6h"): (
        {
            f'{SECONDS}_bucket{{le="0.05",outcome_class="ok",{AT}}}': "0+920x190",
            f'{SECONDS}_count{{outcome_class="ok",{AT}}}': "0+1000x190",
        },
        "375m",
    ),
    ("latency", "3d"): (
        {
            f'{SECONDS}_bucket{{le="0.05",outcome_class="ok",{AT}}}': "0+9800x190",
            f'{SECONDS}_count{{outcome_class="ok",{AT}}}': "0+10000x190",
        },
        "375m",
    ),
}
"""Objective and long window: an error budget that burns so fast that this window tells it."""


FEW: Mapping[tuple[float, float], bool] = {
    (1.0, 1.0): True,
    (0.0, 1.0): True,
    (8.0, 0.03): False,  # four, however few there are
    (8.0, 0.06): False,  # seven of a thousand may be chance
    (7.5, 0.4): True,
    (8.0, 0.0): False,
}
"""Good and bad decisions every 15 s for half an hour, fewer than a thousand in all: whether that alerts."""
FEW_STEPS = 120


def few(good: float, bad: float) -> World:
    """Return the world of so few decisions."""
    series = {("model", "ok"): good, ("error", "dependency"): bad}
    return {
        f'{DECISIONS}{{outcome="{outcome}",reason="{reason}",{AT}}}': f"0+{step:g}x{FEW_STEPS}"
        for (outcome, reason), step in series.items()
    }, "30m"
