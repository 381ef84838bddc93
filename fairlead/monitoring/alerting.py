"""Alerting rules: each says what, since when, how grave, and where to look first."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fairlead.monitoring.objectives import OBJECTIVES, Objective, span
from fairlead.monitoring.registry import CONTROL, ENGINE
from governance.alerts.burn import FEW, LEAST, SLOW
from storage.records.alerts import BurnWindow

HANDBOOK = "docs/guide/monitoring.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert. ``lasting`` is how long the expression must hold; ``page`` wakes somebody, ``ticket`` does not."""

    name: str
    expression: str
    lasting: str
    severity: str
    summary: str
    first_look: str
    labels: Mapping[str, str]

    def rule(self) -> dict[str, Any]:
        """Return the rule as Prometheus reads it."""
        return {
            "alert": self.name,
            "expr": self.expression,
            "for": self.lasting,
            "labels": {"severity": self.severity, **self.labels},
            "annotations": {
                "summary": self.summary,
                "description": f"First look: {self.first_look}.",
                "runbook": f"{HANDBOOK}#{self.name.lower()}",
            },
        }


def _alert(name: str, expression: str, when: str, summary: str, first_look: str) -> Alert:
    """Make an alert; ``when`` is its severity and for how long the expression must hold."""
    severity, lasting = when.split()
    return Alert(
        name=f"Fairlead{name}",
        expression=expression,
        lasting=lasting,
        severity=severity,
        summary=summary,
        first_look=first_look,
        labels={},
    )


def grown(counter: str, by: str, window: str = "1h") -> str:
    """Return an expression that holds while a counter that must stay 0 has grown, even by its very first sample."""
    now, then = f"sum by ({by}) ({counter})", f"sum by ({by}) ({counter} offset {window})"
    return f"({now} - {then}) > 0 or ({now} unless {then}) > 0"


def _quiet(what: str) -> str:
    now, before = f"environment:fairlead_{what}:rate5m", f"(environment:fairlead_{what}:rate1h offset 5m)"
    return f"{now} < 0.1 * {before} and {before} * 300 >= 24"


WHERE = "{{ $labels.instance }}"

# fmt: off
ALERTS: tuple[Alert, ...] = (
    _alert(
        "EngineDown", f'up{{job="{ENGINE}"}} == 0', "page 1m",
        f"{WHERE} does not answer Prometheus.", "whether the process runs: `fairlead doctor`, run/engine.log",
    ),
    _alert(
        "EngineAbsent", f'absent(up{{job="{ENGINE}"}})', "page 5m",
        "Prometheus scrapes no engine at all.", "the scrape configuration; its job must be called fairlead-engine",
    ),
    _alert(
        "ControlDown", f'up{{job="{CONTROL}"}} == 0', "page 2m",
        f"Control at {WHERE} does not answer: decisions go on, changes and audits do not.",
        "whether the process runs: run/control.log",
    ),
    _alert(
        "ControlAbsent", f'absent(up{{job="{CONTROL}"}})', "page 5m",
        "Prometheus scrapes no control at all.", "the scrape configuration; its job must be called fairlead-control",
    ),
    _alert(
        "NotReady", "fairlead_ready == 0", "page 1m",
        f"{WHERE} does not want traffic.", "why, at its /readyz; a replica that cannot refresh for 30 s says so",
    ),
    _alert(
        "DecisionsSilent", _quiet("decisions"), "page 2m",
        "Less than a tenth of the decisions of the hour before.", "whether callers still reach the engines",
    ),
    _alert(
        "EventsSilent", _quiet("events"), "page 2m",
        "Less than a tenth of the events of the hour before: clicks may be lost.", "whether callers still send events",
    ),
    _alert(
        "ConsentStale", 'fairlead_degraded{reason="consent_stale"} == 1', "page 10s",
        f"{WHERE} cannot tell who agreed, and serves everyone the default experience.",
        "the database that it reads consent from",
    ),
    _alert(
        "ConsentViolated", grown("fairlead_consent_violations_total", "environment, detector"), "page 0s",
        "Somebody was personalized without consent (seen by {{ $labels.detector }}); this must never be.",
        "`fairlead check show --name consent`; switch personalization off if it goes on",
    ),
    _alert(
        "ConsentBehind", "environment:fairlead_consent_epoch:spread > 0", "page 1m",
        "Replicas differ in the consent that is in force.", "the replica with the least epoch on the System page",
    ),
    _alert(
        "RevisionBehind", "environment:fairlead_revision:spread > 0", "ticket 1m",
        "Replicas decide with different revisions.", "the replica with the least revision on the System page",
    ),
    _alert(
        "PolicyStale", 'fairlead_degraded{reason="policy_stale"} == 1', "ticket 30s",
        f"{WHERE} has not refreshed its policies.", "the database that it reads revisions from",
    ),
    _alert(
        "Degraded", 'fairlead_degraded{reason!~"consent_stale|policy_stale"} == 1', "ticket 5m",
        f"{WHERE} works without something: {{{{ $labels.reason }}}}.", "that dependency, on the System page",
    ),
    _alert(
        "CircuitOpen", "fairlead_circuit_state == 2", "ticket 5m",
        "{{ $labels.dependency }} fails so often that it is left alone.", "that dependency's own log",
    ),
    _alert(
        "CapOverserved", grown("fairlead_cap_overserves_total", "environment, cap"), "page 0s",
        "The cap {{ $labels.cap }} was exceeded.", "the page Caps; whether replicas share their counts",
    ),
    _alert(
        "RecordsLost", grown('fairlead_decision_records_total{result="lost"}', "environment, instance"), "page 0s",
        f"{WHERE} lost decision records: they cannot be explained or audited.", "its disk: space, speed, errors",
    ),
    _alert(
        "LogBacklog", "fairlead_log_backlog > 10000", "page 2m",
        f"{WHERE} writes records more slowly than they come; at 50,000 events are refused.", "the speed of its disk",
    ),
    _alert(
        "DeadLetters", "delta(fairlead_dead_letters[15m]) > 0", "ticket 0s",
        f"{WHERE} refused events.", "the reasons, on the System page; the sender has to mend them",
    ),
    _alert(
        "LeaderMissing", "fairlead_schedule_leader == 0", "page 1m",
        "Nobody leads the schedule: no figures, rollouts or audits.", "run/control.log; `fairlead doctor`",
    ),
    _alert(
        "ScheduleLate",
        "time() - fairlead_job_last_success_timestamp_seconds > 3 * fairlead_job_period_seconds + 30", "ticket 1m",
        "Scheduled work has missed three runs: {{ $labels.task }}.", "run/control.log names its last error",
    ),
    _alert(
        "JobsWaiting", 'fairlead_jobs{state="queued"} > 20 or fairlead_job_oldest_waiting_seconds > 3600', "ticket 5m",
        "Jobs wait longer than they should.",
        "`fairlead job list`; a job that never ends holds up the rest",
    ),
    _alert(
        "CollectorStale", "time() - fairlead_collector_last_success_timestamp_seconds > 60", "ticket 1m",
        "The {{ $labels.what }} of {{ $labels.target }} were not read for a minute.",
        "whether that replica is gone for good; `fairlead doctor`",
    ),
    _alert(
        "LedgerUnanchored", "fairlead_ledger_anchor_age_seconds > 180 and fairlead_ledger_unanchored_entries > 0",
        "ticket 1m", "The ledger's last entries carry no anchor.", "whether the anchors' folder can be written",
    ),
    _alert(
        "CheckFails", "fairlead_check_verdict == 3", "ticket 2m",
        "The check {{ $labels.check }} shows harm.", "`fairlead check show`, or the page Checks",
    ),
    _alert(
        "ClockSkewed", "abs(fairlead_clock_seconds - timestamp(fairlead_clock_seconds)) > 2", "ticket 2m",
        f"The clock of {WHERE} is off by more than 2 s.", "its time synchronization",
    ),
)
# fmt: on
"""Every alert but those of objectives."""


def burning(objective: Objective) -> tuple[Alert, ...]:
    """Return the alerts of one objective, as ``governance.alerts.burn.judge`` judges: over each pair of windows by the
    burn rate, and by counts where the long one holds too few requests for rates."""
    return tuple(alert for window in objective.windows for alert in _burning(objective, window))


def _burning(objective: Objective, window: BurnWindow) -> tuple[Alert, Alert]:
    own = f'{{slo="{objective.key}"}}'
    long, short = span(window.long_s), span(window.short_s)
    ratio, recent, valid = (
        f"slo:fairlead_{kind}{each}{own}"
        for kind, each in (("bad:ratio", long), ("bad:ratio", short), ("valid:increase", long))
    )
    borne = f"{window.factor:g} * {objective.budget:g}"
    expressions = {
        "FairleadBudgetBurns": f"{ratio} >= {borne} and {recent} >= {borne} and {valid} >= {LEAST}",
        "FairleadBadOfFew": (
            f"{ratio} * {valid} >= {FEW} and {recent} > 0"
            f" and slo:fairlead_bad:low{long}{own} > {min(1.0, window.factor * objective.budget):g}"
            f" and {valid} < {LEAST}"
        ),
    }
    summaries = {
        "FairleadBudgetBurns": f"{{{{ $value | humanizePercentage }}}} were not, over {long}; "
        f"the error budget burns more than {window.factor:g} times too fast.",
        "FairleadBadOfFew": f"about {{{{ $value | humanize }}}} were not, of fewer than {LEAST:,} in {long}; "
        f"beyond chance more than {window.factor:g} times the budget.",
    }
    rate, count = (
        Alert(
            name=name,
            expression=expression,
            lasting="0s",
            severity="page" if window.factor >= SLOW else "ticket",
            summary=f"{objective.title}: {summaries[name]}",
            first_look=objective.first_look,
            labels={"slo": objective.key, "window": long},
        )
        for name, expression in expressions.items()
    )
    return rate, count


def groups() -> list[dict[str, Any]]:
    """Return the groups of alerting rules."""
    own = [alert.rule() for alert in ALERTS]
    burns = [alert.rule() for objective in OBJECTIVES for alert in burning(objective)]
    return [{"name": "fairlead-alerts", "rules": own}, {"name": "fairlead-burn", "rules": burns}]
