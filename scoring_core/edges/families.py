"""The registry of an engine's metrics, known without running one: dashboards and alerting rules are made from it."""

from scoring_core.edges.gauges import GAUGES
from scoring_core.edges.instruments import Counter, Histogram, Instrument
from scoring_core.edges.telemetry import Telemetry
from storage.records.metrics import Family, MetricKind


def families() -> tuple[Family, ...]:
    """Return every family that a replica shows, in the order in which it declares them.

    >>> next(family.labels for family in families() if family.name == "fairlead_decision_duration_seconds")
    ('outcome_class',)
    """
    telemetry = Telemetry(replica="", boot_id="", wall=lambda: 0, started_at=0)
    for name, (text, labels) in GAUGES.items():
        telemetry.gauge(name, text, labels)
    return tuple(_family(instrument) for instrument in telemetry.families.values())


def _family(instrument: Instrument) -> Family:
    kinds: dict[type[Instrument], MetricKind] = {Counter: "counter", Histogram: "histogram"}
    return Family(
        name=instrument.name,
        kind=kinds.get(type(instrument), "gauge"),
        text=instrument.text,
        labels=instrument.labels,
        edges=instrument.edges if isinstance(instrument, Histogram) else (),
    )
