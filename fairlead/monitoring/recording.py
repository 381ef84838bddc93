"""Recording rules: what dashboards and alerts ask again and again, computed once."""

from collections.abc import Mapping
from typing import Any

from fairlead.monitoring.objectives import CONSENT, DURATION, OBJECTIVES, POLICY, STEP_S, recorded

RECORDED: Mapping[str, str] = {
    "environment:fairlead_decisions:rate5m": "sum by (environment) (rate(fairlead_decision_requests_total[5m]))",
    "environment:fairlead_decisions:rate1h": "sum by (environment) (rate(fairlead_decision_requests_total[1h]))",
    "environment:fairlead_events:rate5m": "sum by (environment) (rate(fairlead_events_received_total[5m]))",
    "environment:fairlead_events:rate1h": "sum by (environment) (rate(fairlead_events_received_total[1h]))",
    "environment_outcome:fairlead_decisions:rate5m": (
        "sum by (environment, outcome) (rate(fairlead_decision_requests_total[5m]))"
    ),
    "environment_cache:fairlead_cache_hits:ratio5m": (
        'sum by (environment, cache) (rate(fairlead_cache_requests_total{result="hit"}[5m]))'
        " / sum by (environment, cache) (rate(fairlead_cache_requests_total[5m]))"
    ),
    **{
        f"environment:{name}:p{q}_5m": (
            f"histogram_quantile(0.{q}, sum by (environment, le) (rate({name}_bucket[5m])))"
        )
        for name in (DURATION, CONSENT, POLICY)
        for q in (50, 95, 99)
    },
    "environment:fairlead_revision:spread": (
        "max by (environment) (fairlead_revision) - min by (environment) (fairlead_revision)"
    ),
    "environment:fairlead_consent_epoch:spread": (
        "max by (environment) (fairlead_consent_epoch) - min by (environment) (fairlead_consent_epoch)"
    ),
}


def groups() -> list[dict[str, Any]]:
    """Return the groups of recording rules."""
    figures = [{"record": name, "expr": expression} for name, expression in RECORDED.items()]
    objectives = [
        {
            "name": f"fairlead-slo-{objective.key}",
            "interval": f"{STEP_S}s",
            "rules": [
                {"record": name, "expr": expression, "labels": {"slo": objective.key}}
                for name, expression in recorded(objective).items()
            ],
        }
        for objective in OBJECTIVES
    ]
    return [{"name": "fairlead-figures", "interval": "15s", "rules": figures}, *objectives]
