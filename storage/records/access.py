"""Who may do what: scopes, roles, principals."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Scope(StrEnum):
    """The permissions that a token may carry; every route declares one."""

    DECIDE = "decide"
    EVENTS_WRITE = "events:write"
    METRICS_READ = "metrics:read"
    JOURNAL_READ = "journal:read"
    READ = "read"
    DECISION_READ = "decision:read"
    CAMPAIGN_WRITE = "campaign:write"
    POLICY_PROPOSE = "policy:propose"
    POLICY_APPROVE = "policy:approve"
    POLICY_APPLY = "policy:apply"
    EMERGENCY_OPEN = "emergency:open"
    CONSENT_READ = "consent:read"
    CONSENT_WRITE = "consent:write"
    SUBJECT_ERASE = "subject:erase"
    FAIRNESS_READ = "fairness:read"
    FAIRNESS_WRITE = "fairness:write"
    """Put or drop what people say of themselves for audits of fairness alone; it reads none of it."""
    JOB_RUN = "job:run"
    ALERT_ANSWER = "alert:answer"
    """Acknowledge, silence, close and test the alerts that one may see."""
    AUDIT_READ = "audit:read"
    OWN_ISSUE = "own:issue"
    """To make links by which people see what is kept of them: for an application that knows who they are."""
    CREATOR = "creator:own"
    """To see how one's own items do and who looks at them; the token's principal is the creator."""
    OWN = "own"
    """To see and say what concerns oneself; a link carries it, for one person."""
    ADMIN = "admin"
    SIMULATE = "simulate"
    """Everything that such a token sends is marked ``origin=simulated``; no role but its own carries it."""


_EVERYONE = frozenset({Scope.READ})

ROLES: Mapping[str, frozenset[Scope]] = {
    "marketer": _EVERYONE | {Scope.CAMPAIGN_WRITE, Scope.POLICY_PROPOSE, Scope.ALERT_ANSWER},
    "data_scientist": _EVERYONE
    | {
        Scope.POLICY_PROPOSE,
        Scope.POLICY_APPROVE,
        Scope.FAIRNESS_READ,
        Scope.DECISION_READ,
        Scope.JOB_RUN,
        Scope.ALERT_ANSWER,
    },
    "ops": _EVERYONE
    | {
        Scope.CAMPAIGN_WRITE,
        Scope.POLICY_PROPOSE,
        Scope.POLICY_APPROVE,
        Scope.POLICY_APPLY,
        Scope.EMERGENCY_OPEN,
        Scope.CONSENT_READ,
        Scope.CONSENT_WRITE,
        Scope.DECISION_READ,
        Scope.METRICS_READ,
        Scope.JOB_RUN,
        Scope.ALERT_ANSWER,
        Scope.AUDIT_READ,
    },
    "admin": frozenset(Scope) - {Scope.SIMULATE, Scope.OWN, Scope.CREATOR},
    "service": frozenset(
        {
            Scope.DECIDE,
            Scope.EVENTS_WRITE,
            Scope.METRICS_READ,
            Scope.JOURNAL_READ,
            Scope.DECISION_READ,
            Scope.OWN_ISSUE,
            Scope.READ,
        }
    ),
    "creator": frozenset({Scope.CREATOR}),
    "end_user": frozenset({Scope.OWN}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """An authenticated caller. ``name`` is the person or service; two tokens of one person share it. ``subject`` is the
    raw id of an end user, who may see nobody else."""

    name: str
    role: str
    scopes: frozenset[Scope]
    token_id: str
    subject: str = field(default="", repr=False)

    def may(self, scope: Scope) -> bool:
        """Tell whether the caller carries ``scope``."""
        return scope in self.scopes
