"""Do requests fail: 99.9 % without an error of ours, over a quarter of an hour."""

from collections.abc import Mapping

from governance.checks.check import Check, Finding, Ground, unknown
from governance.checks.counts import share, tally
from storage.records.clock import MINUTE
from storage.records.findings import Verdict
from storage.records.proportions import wilson

HTTP = "fairlead_http_requests_total"
PROBES = frozenset({"/healthz", "/readyz"})
"""A replica that says it is not ready answers 503, as it should."""
ALLOWED = 0.001
LEAST = 1_000
FEW = 3
"""Fewer errors than this prove nothing, however few the requests."""


def _ours(labels: Mapping[str, str]) -> bool:
    return labels.get("status_class") == "5xx"


def look(ground: Ground) -> Finding:
    """Compare the share of answers 5xx with what is allowed."""
    found = tally(
        ground,
        HTTP,
        start=ground.now - 15 * MINUTE,
        end=ground.now,
        hit=_ours,
        of=lambda labels: labels.get("route") not in PROBES,
        by=("status_class", "route"),
    )
    low, _high = wilson(found.hits, found.n)
    proven = low > ALLOWED and found.hits >= FEW
    if found.n < LEAST and not proven:
        return unknown(f"{found.hits} of {found.n} requests failed in 15 minutes; {LEAST:,} requests tell.", n=found.n)
    verdict: Verdict = "pass" if found.hits <= ALLOWED * found.n else "fail" if proven else "warn"
    remedy = "" if verdict == "pass" else " The engines' logs name each one."
    return Finding(
        verdict=verdict,
        sentence=f"{share(found)} requests ended with an error of ours; 0.1 % are allowed.{remedy}",
        figures={"n": found.n, "errors": found.hits, "allowed": ALLOWED},
    )


CHECK = Check(name="errors", title="Errors", question="Are 99.9 % of requests answered without an error?", look=look)
