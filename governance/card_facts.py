"""What is known of a version without asking anybody: what it does, what it learned from, how it was judged."""

from collections.abc import Mapping
from typing import Any

from governance.diff import diff
from governance.installation import installation
from storage import findings, policies, registry
from storage.database import Read
from storage.records.findings import Audit
from storage.records.models import ModelVersion
from storage.records.policies import Policy

UNMEASURED = "not measured"
_AUDITS = ("fairness", "drift", "offpolicy", "whatif")


def policy_facts(read: Read, key: str, version: int) -> Mapping[str, Any] | None:
    """Return the facts of a policy version; None where there is none."""
    found, head = policies.version(read, key, version), policies.head(read, key)
    if found is None or head is None:
        return None
    stable = policies.version(read, key, head.stable) if head.stable not in (None, version) else None
    return {
        "surface": found.document.surface,
        "digest": found.digest,
        "author": found.author,
        "created_at": found.created_at,
        "does": _does(found.document),
        "differs_from_stable": [one.sentence for one in diff(stable.document, found.document)] if stable else [],
        "model": _served_model(read, found.document),
        "sensitive_attributes": _sensitive(read, found.document.surface),
        "audits": _audits(read),
    }


def model_facts(read: Read, name: str, version: str) -> Mapping[str, Any] | None:
    """Return the facts of a model version; None where there is none."""
    found = next(
        (one for one in registry.standings(read) if (one.model.name, one.model.version) == (name, version)), None
    )
    if found is None:
        return None
    return {**_model(found.model), "in_service": found.in_service, "compared": found.verdict or UNMEASURED,
            "audits": _audits(read)}  # fmt: skip


def _does(policy: Policy) -> Mapping[str, Any]:
    return {
        "scorer": policy.scorer.name,
        "parameters": dict(policy.scorer.parameters),
        "confidence_below_which_the_fallback_serves": policy.confidence.threshold,
        "fallback": list(policy.fallback),
        "sources": [source.name for source in policy.sources],
        "exploration": policy.exploration.epsilon,
        "rules": [rule.key for rule in policy.rules],
        "caps": [cap.key for cap in policy.caps],
        "fair_rerank": policy.rerank.attribute if policy.rerank else None,
    }


def _served_model(read: Read, policy: Policy) -> Mapping[str, Any] | None:
    name = policy.scorer.parameters.get("model")
    model = registry.in_service(read).get(name) if isinstance(name, str) else None
    return None if model is None else _model(model)


def _model(model: ModelVersion) -> Mapping[str, Any]:
    lineage = model.lineage
    return {
        "name": model.name,
        "version": model.version,
        "kind": model.kind,
        "digest": model.digest,
        "created_at": model.created_at,
        "features": list(model.features),
        "trained_on": lineage.get("trained", UNMEASURED),
        "held_out": lineage.get("held_out", UNMEASURED),
        "origins": lineage.get("origins", UNMEASURED),
        "evaluation": dict(model.evaluation) or UNMEASURED,
        "confidence": {
            "status": model.calibration.status,
            "error": model.calibration.error,
            "error_high": model.calibration.error_high,
            "outcomes_missing": model.calibration.outcomes_missing,
        },
    }


def _sensitive(read: Read, surface: str) -> list[str]:
    settings = installation(read)
    place = settings.surfaces.get(surface)
    named = {**settings.attributes, **(place.context if place else {})}
    return sorted(name for name, attribute in named.items() if attribute.sensitive)


def _audits(read: Read) -> Mapping[str, Any]:
    """Return the latest audit of each kind: metrics by group stand there; none is said to be none."""
    return {kind: _told(next(iter(findings.audits(read, kind=kind, limit=1)), None)) for kind in _AUDITS}


def _told(audit: Audit | None) -> Any:
    if audit is None:
        return UNMEASURED
    return {"audit_id": audit.audit_id, "at": audit.at, "verdict": audit.verdict, "sentence": audit.sentence}
