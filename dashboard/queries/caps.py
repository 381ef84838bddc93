"""What caps held back, and what fair exposure cost."""

from dataclasses import dataclass

from dashboard.span import Span
from governance import cap_effects
from governance.cap_effects import CapEffect
from storage import revisions, series
from storage.database import Read
from storage.quantiles import Quantile, quantile

COST = "fairlead_exposure_cost_ratio"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """A policy version that gives every group its share of exposure: how many decisions it re-ranked, in how many that
    changed something, and the share of NDCG that it gave up on average and at worst; None where none was seen."""

    policy: str
    version: int
    attribute: str
    share: float
    decisions: int
    changed: int
    mean: float | None
    p95: Quantile


def effects(read: Read, *, span: Span) -> dict[str, CapEffect]:
    """Return what each cap did in a range, by name."""
    return {one.name: one for one in cap_effects.effects(read, start=span.start, end=span.end)}


def exposures(read: Read, *, span: Span) -> tuple[Exposure, ...]:
    """Return what every version in service with a fair re-rank cost; versions of one policy are counted together."""
    snapshot = revisions.load(read)
    found = {
        step.labels.get("policy", ""): step
        for step in series.total(read, COST, start=span.start, end=span.end, by=("policy",))
    }
    told = []
    for key, state in sorted(snapshot.policies.items()) if snapshot else ():
        step = found.get(key)
        counts = step.counts if step is not None and step.counts else ()
        n = sum(counts)
        for version, policy in sorted(state.versions.items()):
            if policy.rerank is not None:
                told.append(
                    Exposure(
                        policy=key,
                        version=version,
                        attribute=policy.rerank.attribute,
                        share=policy.rerank.share,
                        decisions=n,
                        changed=n - counts[0] if n else 0,
                        mean=(step.value or 0.0) / n if step is not None and n else None,
                        p95=quantile(step.edges, counts, 0.95) if step is not None and n else quantile((), (0,), 0.95),
                    )
                )
    return tuple(told)
