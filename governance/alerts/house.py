"""The objectives of the house; light enough for every process."""

from storage.records.alerts import Slo

HOUSE = (
    Slo(key="availability", title="Availability", indicator="availability", objective=0.999),
    Slo(key="latency", title="Decisions within 50 ms", indicator="latency", objective=0.99),
    Slo(key="latency-tail", title="Decisions within 200 ms", indicator="latency_tail", objective=0.999),
    Slo(key="quality", title="Decisions without fallback", indicator="quality", objective=0.995),
    Slo(key="consent", title="Consent in force within 1 s", indicator="consent", objective=0.999),
    Slo(key="policy", title="Policies in force within 1 s", indicator="policy", objective=0.999),
    Slo(key="freshness", title="Events within 15 s", indicator="freshness", objective=0.99),
)
"""What holds as long as nobody wrote an objective of the same key."""
