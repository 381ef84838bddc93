"""Consent in sums: what was said, what holds where there is silence, how fast changes spread."""

from collections.abc import Mapping
from dataclasses import dataclass

from dashboard.span import Span
from storage import consent, receipts, revisions, series
from storage.database import Read
from storage.quantiles import Quantile, quantile
from storage.records.clock import SECOND
from storage.records.consent import Purpose

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
    """Everything the Consent page sums up. ``violations`` is None where no engine was observed."""

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
    region = current.installation.region if current else "default"
    told = current.installation.consent_default if current else {}
    alive = receipts.registered(read, now, 10 * SECOND)
    violations = sum(step.value or 0.0 for step in series.total(read, VIOLATIONS, start=span.start, end=span.end))
    watched = any(step.covered_us for step in series.total(read, CHECKS, start=span.start, end=span.end))
    return ConsentState(
        epoch=consent.epoch(read),
        region=region,
        defaults={
            one.value: told.get(region, {}).get(one.value, told.get("default", {}).get(one.value, "deny"))
            for one in Purpose
        },
        summary=consent.summary(read),
        spread=_spread(read, "consent"),
        policy_spread=_spread(read, "policy"),
        oldest_epoch=min((one.consent_epoch for one in alive), default=None),
        replicas=len(alive),
        checks=_counts(read, CHECKS, span, "result"),
        violations=int(violations) if watched or violations else None,
        gpc=_counts(read, GPC, span, "honoured"),
    )
