"""What the last fairness and drift audits said, and how old they are."""

from governance.checks.check import Check, Finding, Ground, gravest, unknown
from storage import findings
from storage.records.clock import DAY
from storage.records.findings import Audit, Verdict

KINDS = ("fairness", "drift")
OLD = 30 * DAY


def _verdict(audit: Audit, now: int) -> Verdict:
    return "unknown" if now - audit.at > OLD else audit.verdict


def look(ground: Ground) -> Finding:
    """Read the newest audit of each kind; one older than 30 days says nothing of today."""
    last = {kind: next(iter(findings.audits(ground.read, kind, limit=1)), None) for kind in KINDS}
    known = {kind: audit for kind, audit in last.items() if audit is not None}
    if not known:
        return unknown("No fairness or drift audit has run; their pages start one.")
    verdicts = {kind: _verdict(audit, ground.now) for kind, audit in known.items()}
    verdicts |= {kind: "unknown" for kind in KINDS if kind not in known}
    told = [f"{kind}: {audit.sentence}" for kind, audit in known.items()]
    told += [f"{kind}: never audited" for kind in KINDS if kind not in known]
    told += [f"{kind}: older than 30 days" for kind, audit in known.items() if ground.now - audit.at > OLD]
    figures = {kind: {"audit_id": audit.audit_id, "at": audit.at} for kind, audit in known.items()}
    return Finding(verdict=gravest(verdicts), sentence=" · ".join(told), figures=figures)


CHECK = Check(
    name="audits",
    title="Audits",
    question="What did the last fairness and drift audits say?",
    look=look,
    every_s=300.0,
)
