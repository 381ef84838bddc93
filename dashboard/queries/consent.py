"""Consent in sums: what was said, what holds where there is silence, how fast changes spread."""

from collections.abc import Mapping
from dataclasses import dataclass

from dashboard.span import Span
from storage import consent, consent_probes, jobs, receipts, revisions, series
from storage.database import Read
from storage.quantiles import Quantile, quantile
from storage.records.clock import DAY, SECOND
from storage.records.consent import ConsentProbe, ConsentViolation, Purpose
from storage.records.findings import Job
from storage.records.policies import Installation

CHECKS = "fairlead_consent_checks_total"
VIOLATIONS = "fairlead_consent_violations_total"
GPC = "fairlead_gpc_requests_total"
SMALLEST = 50
"""Groups of fewer people are shown as "< 50" to those who may not look up subjects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How long changes of one kind took to reach replicas: edges in seconds, counts per bucket."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]

    def at(self, q: float) -> Quantile:
        """Return a quantile in seconds."""
        return quantile(self.edges, self.counts or (0,) * (len(self.edges) + 1), q)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentState:
    """Everything the Consent page sums up. ``violations`` is None where no engine was observed; it counts what engines
    saw themselves, the probe, and the look at every record. ``regions`` are the defaults by region."""

    epoch: int
    region: str
    defaults: Mapping[str, str]
    summary: Mapping[str, Mapping[str, int]]
    spread: Spread
    policy_spread: Spread
    oldest_epoch: int | None
    replicas: int
    checks: Mapping[str, int]
    violations: int | None
    gpc: Mapping[str, int]
    withdrawn: Mapping[str, int]
    regions: Mapping[str, Mapping[str, str]]
    region_from: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeState:
    """What the probe, which has opted out, was answered in a day, its measured withdrawals, and every violation."""

    results: Mapping[str, int]
    latest: tuple[ConsentProbe, ...]
    withdrawals: tuple[ConsentProbe, ...]
    violations: tuple[ConsentViolation, ...]


def probe(read: Read, *, now: int) -> ProbeState:
    """Return what the probe saw."""
    since = now - DAY
    return ProbeState(
        results=consent_probes.counted(read, since=since),
        latest=tuple(consent_probes.probes(read, since=since, kind="standing", limit=20)),
        withdrawals=tuple(consent_probes.probes(read, since=now - 30 * DAY, kind="withdrawal", limit=1_000)),
        violations=tuple(consent_probes.violations(read)),
    )


def files(read: Read) -> list[Job]:
    """Return the latest jobs that took a file of consent."""
    return jobs.jobs(read, name="consents", limit=5)


def _counts(read: Read, name: str, span: Span, label: str) -> dict[str, int]:
    found = series.total(read, name, start=span.start, end=span.end, by=(label,))
    return {step.labels.get(label, ""): int(step.value) for step in found if step.value is not None}


def _spread(read: Read, kind: receipts.PropagationKind) -> Spread:
    edges = receipts.PROPAGATION_EDGES[kind]
    sums = [0] * (len(edges) + 1)
    for one in receipts.propagation(read):
        if one.kind == kind:
            sums = [a + b for a, b in zip(sums, one.counts, strict=True)]
    return Spread(edges=edges, counts=tuple(sums))


def state(read: Read, *, span: Span, now: int) -> ConsentState:
    """Return the state of consent."""
    current = revisions.load(read)
    settings = current.installation if current else Installation()
    alive = receipts.registered(read, now, 10 * SECOND)
    seen = sum(step.value or 0.0 for step in series.total(read, VIOLATIONS, start=span.start, end=span.end))
    violations = int(seen) + sum(consent_probes.totals(read, since=span.start).values())
    watched = any(step.covered_us for step in series.total(read, CHECKS, start=span.start, end=span.end))
    return ConsentState(
        epoch=consent.epoch(read),
        region=settings.region,
        defaults={one.value: settings.defaults_of().get(one.value, "deny") for one in Purpose},
        summary=consent.summary(read),
        spread=_spread(read, "consent"),
        policy_spread=_spread(read, "policy"),
        oldest_epoch=min((one.consent_epoch for one in alive), default=None),
        replicas=len(alive),
        checks=_counts(read, CHECKS, span, "result"),
        violations=violations if watched or violations else None,
        gpc=_counts(read, GPC, span, "honoured"),
        withdrawn=consent.withdrawn(read, now - DAY),
        regions=settings.consent_default,
        region_from=settings.region_from,
    )
