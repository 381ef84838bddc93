"""The registry of control's own metrics."""

from collections.abc import Mapping

from storage.records.metrics import Family, MetricKind

VERDICT = "What a check said last: 0 unknown, 1 pass, 2 warn, 3 fail."


def _family(kind: MetricKind, name: str, text: str, *labels: str) -> Family:
    return Family(name=f"fairlead_{name}", kind=kind, text=text, labels=labels)


FAMILIES: Mapping[str, Family] = {
    family.name: family
    for family in (
        _family("gauge", "check_verdict", VERDICT, "check"),
        _family("gauge", "check_seen_timestamp_seconds", "When a check looked last.", "check"),
        _family("gauge", "schedule_leader", "Whether an instance leads the schedule: 1, or 0 for nobody."),
        _family("gauge", "job_last_success_timestamp_seconds", "When scheduled work last succeeded.", "task"),
        _family("gauge", "job_period_seconds", "How often scheduled work should run.", "task"),
        _family("gauge", "jobs", "Jobs that wait or run.", "state"),
        _family("gauge", "job_oldest_waiting_seconds", "How long the job that waits longest has waited."),
        _family(
            "gauge",
            "collector_last_success_timestamp_seconds",
            "When a replica was last read.",
            "target",
            "what",
        ),
        _family("counter", "consent_violations_total", "Personalized without consent; must stay 0.", "detector"),
        _family("gauge", "drift_psi", "Newest change by PSI.", "surface", "origin", "feature"),
        _family("gauge", "drift_features_flagged", "Red features of the newest window.", "surface", "origin", "family"),
        _family("gauge", "fairness_verdict", "A plan's newest audit: 0 none shown, 1 inconclusive, 2 shown.", "audit"),
        _family("gauge", "ledger_chain_seq", "The ledger's last entry."),
        _family("gauge", "ledger_anchor_age_seconds", "Since the last anchor."),
        _family("gauge", "ledger_unanchored_entries", "Entries that no anchor confirms yet."),
    )
}
"""Every family of control by its name."""
