"""Every kind of alert: whose work it is, what else mostly has the same cause, and where one looks first."""

from collections.abc import Mapping
from dataclasses import dataclass

from storage.records.access import Principal, Scope
from storage.records.alerts import Audience

RIGHTS = "rights"
"""What concerns consent or the record, and is silenced for an hour at most."""
CAUSES: Mapping[str, str] = {
    "serving": "Serving",
    "collection": "Collection and schedule",
    RIGHTS: "Consent and the record",
    "shown": "What people are shown",
    "models": "Models and fairness",
}
"""Groups of what mostly has one cause, and their titles."""
SEEN_WITH: Mapping[Audience, Scope] = {
    "operation": Scope.METRICS_READ,
    "models": Scope.JOB_RUN,
    "campaigns": Scope.READ,
}
"""What it takes to see the alerts of each audience."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of alert.

    Parameters
    ----------
    name
        Of its check, or its own; also the anchor of its runbook.
    page
        The page on which its cause is looked for.
    warns
        Whether a look that is only worth a look alerts already, then for the working day.
    hold_s
        How long it must be true before it fires.
    indicator
        What tells which value of which dimension differs most; empty where nothing does.
    """

    name: str
    title: str
    cause: str
    page: str
    audience: Audience = "operation"
    warns: bool = False
    hold_s: int = 0
    indicator: str = ""


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(name="slo", title="Budget burns", cause="serving", page="live"),
        Kind(name="errors", title="Errors", cause="serving", page="live", indicator="http"),
        Kind(name="latency", title="Latency", cause="serving", page="live", indicator="latency", hold_s=60),
        Kind(name="silence", title="Silence", cause="serving", page="live"),
        Kind(name="replicas", title="Engines", cause="serving", page="system", warns=True, hold_s=60),
        Kind(name="deadman", title="Nobody watches", cause="collection", page="system"),
        Kind(name="collector", title="Collector", cause="collection", page="system", warns=True, hold_s=60),
        Kind(name="intake", title="Intake", cause="collection", page="system", warns=True),
        Kind(name="schedule", title="Schedule", cause="collection", page="system", hold_s=60),
        Kind(name="jobs", title="Jobs", cause="collection", page="system", warns=True),
        Kind(name="disk", title="Disk", cause="collection", page="system", warns=True),
        Kind(name="consent", title="Consent", cause=RIGHTS, page="consent", warns=True),
        Kind(name="ledger", title="Ledger", cause=RIGHTS, page="ledger", warns=True),
        Kind(name="requests", title="Requests of people", cause=RIGHTS, page="consent", warns=True),
        Kind(name="ctr", title="Click rate", cause="shown", page="heatmaps", audience="campaigns", warns=True),
        Kind(name="campaigns", title="Campaigns", cause="shown", page="heatmaps", audience="campaigns", warns=True),
        Kind(name="fallbacks", title="Fallbacks", cause="shown", page="live", indicator="quality"),
        Kind(name="caps", title="Caps", cause="shown", page="caps", warns=True),
        Kind(name="confidence", title="Confidence", cause="models", page="models", audience="models"),
        Kind(name="drift", title="Drift", cause="models", page="drift", audience="models"),
        Kind(name="fairness", title="Fairness", cause="models", page="fairness", audience="models"),
        Kind(name="audits", title="Audits", cause="models", page="fairness", audience="models"),
    )
}


def audiences(by: Principal) -> tuple[Audience, ...]:
    """Return whose alerts somebody may see."""
    return tuple(audience for audience, scope in SEEN_WITH.items() if by.may(scope))


def kind_of(name: str) -> Kind:
    """Return a kind; one that nobody declared is operation's."""
    return KINDS.get(name) or Kind(name=name, title=name.capitalize(), cause="serving", page="checks")
