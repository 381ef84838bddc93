"""Answers as JSON, and what each of them holds.

Answers::

    Me            {"principal", "role", "like": built-in role, "scopes", "token_id", "environment", "solo"}
    Once          {"once", "expires_at"}
    Session       {"token", "principal", "role", "scopes", "expires_at"}
    Outcome       {"kind", "object_kind", "object_key", "level", "etag", "revision", "after", "seq"}
    CampaignView  {"campaign": Campaign, "etag", "updated_at"}
    RuleView      {"rule": Rule, "etag", "updated_at", "previous": Rule|null}
    CapView       {"cap": Cap, "level", "owner", "sentence", "behind": name|null, "etag", "updated_at", "previous"}
    ToggleView    {"toggle": Toggle, "reach": 0…1, "etag", "updated_at", "previous", "asked_by"}
    Evaluation    {"value", "on", "source", "rule", "bucket", "variation"}
    CapEffect     {"name", "checked", "held_back", "uncounted", "overserved"}
    Review        {"problems": [{field, message}], "conflicts": [Conflict], "level"}
    Conflict      {"kind", "rules": [key], "sentence"}
    Audience      {"at", "people", "origins", "segments": [{"key", "kind", "title", "enabled", "people": n|null,
                   "confidence", "impressions", "clicks", "rate", "others", "verdict", "sentence"}]}
    ForecastView  {"name", "title", "version", "outcome", "verdict", "proof", "calibration", "people", "evaluation"}
    Insights      {"at", "events", "origins", "first_at", "segments": [{"key", "title", "confidence"}],
                   "forecasts": {name: {"value", "proof", "factors": [{"feature", "value", "contribution",
                   "words"}], …}}}
    PolicyView    {"key", "surface", "stable", "previous", "rollout": Rollout|null, "etag",
                   "versions": [{"version", "state", "author", "note", "digest", "created_at"}]}
    RolloutView   GatedRollout with "percent", "ahead", "etag", "latest": Look|null (by group: fairness:read)
    Announcement  {"announced": decisions per step, "decisions", "base_rate", "rate_from", "preflight"}
    VersionView   the same row with "document": Policy
    Diff          {"fields": [{"path", "before", "after", "sentence"}]}
    ChangeView    Change with "needs": how many approvals its level asks for, "ready_at": earliest apply (D3)
    CardView      {"card": Card|null, "missing": [field], "facts", "facts_then", "markdown", "written_by", "updated_at"}
    Differences   {"fields": […], "stale", "moved": [{"path", "found", "now", "wanted", "moved", "clash"}], "policy"}
    Emergency     {"emergency_id", "principal", "reason", "opened_at", "ends_at", "deeds": [change_id], "reviewed_by",
                   "reviewed_at", "finding"}
    Acknowledged  {"epoch", "acknowledged_by": […], "waiting_for": […], "waited_ms", "complete"}
    Recorded      Acknowledged with "receipt": the signed receipt, the person's own
    Standing      {"purpose", "state", "by": "person"|"default", "since", "source", "text_version"}
    RequestView   {"request_id", "kind", "state": open|running|done|refused, "subject": commitment, "received_at",
                   "due_at", "days_left", "overdue", "extension", "progress", "change": ChangeView|null, …}
    Minted        {"token_id", "token", "principal", "scopes", "expires_at"}
    TokenView     {"token_id", "name", "principal", "role", "scopes", "created_at", "expires_at", "revoked_at",
                   "used_at"}
    RoleView      {"role": Role, "built_in", "holders": [principal], "etag", "updated_at"}
    ReplicasView  {"revision", "consent_epoch", "live", "registered", "sentence", "replicas": [Receipt + "fresh"],
                   "propagation": {…}}
    StoredPlan    {"plan": {"key", "title", "every_hours", "enabled", "order": FairnessArguments}, "etag",
                   "updated_at", "previous"}
    Coverage      {"attribute", "people", "values": [[value, n]]}
    AuditSummary  {"audit_id", "kind", "at", "verdict", "sentence"}
    Standing      {"name", "version", "in_service", "served_at", "withdrawn_at", "verdict"}
    SyncStanding  {"name", "sync", "etag", "latest": SyncRun|null, "told": SyncRun|null: the latest with news}
    CheckView     {"name", "title", "question", "every_s", "verdict", "since", "seen", "sentence", "figures", "stale"}
    Verification  {"ok", "entries", "first_bad", "anchored_to", "reason"}
    SystemView    {"environment", "solo", "version", "revision", "consent_epoch", "kill_switch", "heartbeats",
                   "replicas", "jobs": {state: n}, "disk": {"free", "total"}, "ledger_head"}
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from fastapi import Request
from starlette.responses import Response

from governance import rules
from governance.api.gate import request_id
from governance.audience import SHOWN_FROM
from governance.warrants import Warrant
from storage.policies import PolicyHead, PolicyVersion
from storage.records.access import Principal
from storage.records.changes import Change

_OPTIONS = orjson.OPT_NON_STR_KEYS


def reply(answer: Any, *, status: int = 200, etag: str = "") -> Response:
    """Return an answer as JSON, with its tag."""
    headers = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
    if etag:
        headers["etag"] = f'"{etag}"'
    return Response(
        orjson.dumps(answer, option=_OPTIONS), status_code=status, media_type="application/json", headers=headers
    )


def caller(request: Request) -> Principal:
    """Return who was admitted."""
    principal: Principal = request.state.principal
    return principal


def warrant(request: Request, reason: str, confirm: str = "") -> Warrant:
    """Return the warrant of a request."""
    tag = request.headers.get("if-match")
    return Warrant(
        by=caller(request),
        reason=reason,
        confirm=confirm,
        etag=None if tag is None else tag.strip().removeprefix("W/").strip('"'),
        request_id=request_id(request),
        attempt=getattr(request.state, "attempt", None),
    )


def shown(count: int, *, every: bool) -> int | None:
    """Return a count of people; a small one only to who may see ``every`` one."""
    return count if every or count >= SHOWN_FROM else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """Who calls."""

    principal: str
    role: str
    like: str
    scopes: tuple[str, ...]
    token_id: str
    environment: str
    solo: bool


def policy_view(head: PolicyHead, versions: list[PolicyVersion]) -> Mapping[str, Any]:
    """Return a policy with its versions, without their documents."""
    return {
        "key": head.key,
        "surface": head.surface,
        "stable": head.stable,
        "previous": head.previous,
        "rollout": head.rollout,
        "etag": head.etag,
        "versions": [
            {
                "version": version.version,
                "state": version.state,
                "author": version.author,
                "note": version.note,
                "digest": version.digest,
                "created_at": version.created_at,
            }
            for version in versions
        ],
    }


def change_view(change: Change, *, solo: bool) -> Mapping[str, Any]:
    """Return a change with what it still needs."""
    return {
        **{name: getattr(change, name) for name in change.__dataclass_fields__},
        "needs": rules.needed(change, solo=solo),
        "ready_at": rules.ready_at(change),
    }
