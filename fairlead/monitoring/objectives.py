"""Service level objectives as Prometheus computes them from the engines' counters."""

from collections.abc import Mapping
from dataclasses import dataclass

DURATION = "fairlead_decision_duration_seconds"
INGEST = "fairlead_event_ingest_lag_seconds"
CONSENT = "fairlead_consent_propagation_seconds"
POLICY = "fairlead_policy_propagation_seconds"

BURNS: tuple[tuple[str, str, float, str], ...] = (
    ("1h", "5m", 14.4, "page"),
    ("6h", "30m", 6.0, "page"),
    ("3d", "6h", 1.0, "ticket"),
)
"""Long window, short window, burn rate, severity (Google, The Site Reliability Workbook, chapter 5, table 5-8)."""
STEP_S = 30
"""How often the rules of objectives are computed."""
WINDOWS = ("5m", "30m", "1h", "6h", "3d")
LEAST_VALID = 1_000
"""With fewer requests in the long window no rate is judged, but a count."""
LEAST_BAD = 10
"""So many bad ones of too few requests raise an alert."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """What share of what is to be good. ``good`` and ``valid`` are selectors of counters."""

    key: str
    title: str
    good: str
    valid: str
    share: float
    first_look: str

    @property
    def budget(self) -> float:
        """The share that may be bad."""
        return round(1.0 - self.share, 6)


OBJECTIVES: tuple[Objective, ...] = (
    Objective(
        key="availability",
        title="Decisions answered without an error",
        good='fairlead_decision_requests_total{outcome!="error",reason!="invalid"}',
        valid='fairlead_decision_requests_total{reason!="invalid"}',
        share=0.999,
        first_look="the engines' logs name each error; `fairlead doctor` names what does not answer",
    ),
    Objective(
        key="latency",
        title="Decisions within 50 ms",
        good=f'{DURATION}_bucket{{le="0.05",outcome_class!="error"}}',
        valid=f'{DURATION}_count{{outcome_class!="error"}}',
        share=0.99,
        first_look="the stages on the Live page say where the time goes",
    ),
    Objective(
        key="event-freshness",
        title="Events taken in within 15 s",
        good=f'{INGEST}_bucket{{le="15.0"}}',
        valid=f"{INGEST}_count",
        share=0.99,
        first_look="look at the callers' clocks and queues, then at the log's backlog",
    ),
    Objective(
        key="consent-propagation",
        title="Consent in force within 1 s",
        good=f'{CONSENT}_bucket{{le="1.0"}}',
        valid=f"{CONSENT}_count",
        share=0.999,
        first_look="look at the database that engines poll; a stale engine serves the default experience",
    ),
    Objective(
        key="policy-propagation",
        title="Policies in force within 1 s",
        good=f'{POLICY}_bucket{{le="1.0"}}',
        valid=f"{POLICY}_count",
        share=0.999,
        first_look="look at the database that engines poll, and at replicas that lag on the System page",
    ),
)


def recorded(objective: Objective) -> Mapping[str, str]:
    """Return the recording rules of one objective: name and expression; the label ``slo`` tells them apart.

    Long windows add up what the short one recorded: three days of every raw series are more samples than Prometheus
    reads at once.
    """
    own = f'{{slo="{objective.key}"}}'
    rules = {
        f"slo:fairlead_{kind}:rate5m": f"sum by (environment) (rate({part}[5m]))"
        for kind, part in (("good", objective.good), ("valid", objective.valid))
    }
    for window in WINDOWS:
        good, valid = (f"sum_over_time(slo:fairlead_{kind}:rate5m{own}[{window}])" for kind in ("good", "valid"))
        rules[f"slo:fairlead_valid:increase{window}"] = f"{valid} * {STEP_S}"
        rules[f"slo:fairlead_bad:ratio{window}"] = f"clamp_min(1 - {good} / {valid}, 0)"
    rules["slo:fairlead_bad:ratio5m"] = (
        f"clamp_min(1 - slo:fairlead_good:rate5m{own} / slo:fairlead_valid:rate5m{own}, 0)"
    )
    return rules
