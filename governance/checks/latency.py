"""Are decisions fast enough: 99 % within 50 ms, over a quarter of an hour."""

from governance.checks.check import Check, Finding, Ground, unknown
from governance.checks.counts import share
from governance.proportions import Tally
from storage import series
from storage.records.clock import MINUTE
from storage.records.findings import Verdict
from storage.records.proportions import wilson

SECONDS = "fairlead_decision_duration_seconds"
WITHIN_S, OBJECTIVE = 0.05, 0.99
LEAST = 200


def look(ground: Ground) -> Finding:
    """Compare the share of decisions within the limit with the objective: harm is shown by its interval."""
    steps = series.total(ground.read, SECONDS, start=ground.now - 15 * MINUTE, end=ground.now)
    counts = next((step for step in steps if step.counts), None)
    n = sum(counts.counts) if counts else 0
    if counts is None or n < LEAST:
        return unknown(f"{n} decisions in 15 minutes; {LEAST} are needed.", n=n)
    fast = sum(count for edge, count in zip(counts.edges, counts.counts, strict=False) if edge <= WITHIN_S)
    found = Tally(n=n, hits=fast)
    _low, high = wilson(fast, n)
    verdict: Verdict = "pass" if fast / n >= OBJECTIVE else "warn" if high >= OBJECTIVE else "fail"
    remedy = "" if verdict == "pass" else " The stages on the Live page say where the time goes."
    return Finding(
        verdict=verdict,
        sentence=f"{share(found)} decisions came within 50 ms; the objective is 99 %.{remedy}",
        figures={"n": n, "within": fast, "share": fast / n, "objective": OBJECTIVE},
    )


CHECK = Check(name="latency", title="Latency", question="Are 99 % of decisions made within 50 ms?", look=look)
