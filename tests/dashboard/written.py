"""What people wrote and asked for, as the control API tells it: rules, caps, toggles, tokens, roles, requests."""

from collections.abc import Mapping
from typing import Any

from storage.records.access import ROLES
from storage.records.clock import DAY, HOUR
from tests.dashboard.week import NOW, PAYLOAD

RULE = {
    "key": "lift", "action": "boost", "name": PAYLOAD, "priority": 2, "enabled": True, "when": {"age": PAYLOAD},
    "items": {"kind": {"$in": ["bag", PAYLOAD]}}, "factor": 2.0, "slot": 1, "values": {}, "group": "",
    "surfaces": ["home"], "campaigns": ["men"], "starts_at": None, "ends_at": None, "zone": "UTC", "weekdays": [0],
    "hours": [3], "arms": [{"key": "off", "share": 0.5, "factor": None, "slot": None, "values": {}, "off": True}],
    "reason": "", "version": 2,
}  # fmt: skip
ODD = RULE | {"key": "odd", "enabled": False, "when": {"$or": [{"age": PAYLOAD}]}, "campaigns": [], "action": "pin"}
CAP_DOCUMENT = {
    "key": "daily", "limit": 3, "unit": "day", "count": 1, "per": "item", "attribute": "", "window": "rolling",
    "zone": "UTC", "surfaces": ["home"], "campaigns": [],
}  # fmt: skip
CAP = {
    "name": "daily", "cap": CAP_DOCUMENT, "level": "installation", "owner": "", "behind": None, "etag": "e",
    "sentence": "each item at most 3 times within a day", "updated_at": NOW, "previous": CAP_DOCUMENT | {"limit": 5},
}  # fmt: skip
CAP_ELSEWHERE = CAP | {"name": f"campaign/{PAYLOAD}/daily", "level": "campaign", "owner": PAYLOAD, "etag": ""}
MET = {"kind": "same_slot", "rules": ["lift", PAYLOAD], "sentence": f"Both pin slot 1: {PAYLOAD} has it."}
TOGGLE = {
    "key": "new", "name": PAYLOAD, "kind": "string", "enabled": True, "default": PAYLOAD, "owner": PAYLOAD,
    "version": 2, "rules": [
        {
            "key": "r", "when": {"age": PAYLOAD}, "value": PAYLOAD, "variations": [], "weights": [], "coverage": 0.1,
            "ranges": [], "passthrough": [], "by": "subject", "else_by": "", "seed": "", "hash_version": 2,
            "namespace": None, "filters": [], "requires": [], "starts_at": None, "ends_at": None, "zone": "UTC",
            "weekdays": [], "hours": [],
        }
    ],
}  # fmt: skip
TOGGLES = [
    {"toggle": TOGGLE, "reach": 0.0, "etag": "e", "updated_at": NOW, "previous": TOGGLE},
    {
        "toggle": TOGGLE | {"key": "odd", "enabled": False, "rules": TOGGLE["rules"] * 2}, "reach": 0.0, "etag": "e",
        "updated_at": NOW, "previous": None,
    },
]  # fmt: skip
EMERGENCY = {
    "emergency_id": "em-1", "principal": PAYLOAD, "reason": PAYLOAD, "opened_at": NOW, "ends_at": NOW + HOUR,
    "deeds": ["c-1"], "reviewed_by": "", "reviewed_at": None, "finding": "",
}  # fmt: skip
DIFFERENCES = {
    "fields": [{"path": "stable", "before": 1, "after": 2, "sentence": PAYLOAD}],
    "stale": True,
    "moved": [{"path": PAYLOAD, "found": 1, "now": PAYLOAD, "wanted": 3, "moved": True, "clash": True}],
    "policy": [],
    "dry_run": {"job_id": "j", "state": "done", "error": None, "verdict": "warn", "sentence": PAYLOAD},
}
CARD_VIEW = {
    "card": {"intended_use": PAYLOAD, "limits": "", "owner": PAYLOAD}, "missing": ["limits"], "written_by": PAYLOAD,
    "updated_at": NOW, "etag": "e", "facts": {}, "facts_then": {}, "markdown": PAYLOAD,
}  # fmt: skip
TOKEN = {
    "token_id": "t-1",
    "name": PAYLOAD,
    "principal": PAYLOAD,
    "role": "helpers",
    "scopes": ["read"],
    "created_at": NOW - 100 * DAY,
    "expires_at": None,
    "revoked_at": None,
    "used_at": NOW - HOUR,
}
TOKENS = [
    TOKEN,
    {**TOKEN, "token_id": "t-2", "name": "idle", "principal": "kim", "used_at": None},
    {**TOKEN, "token_id": "t-3", "name": "gone", "revoked_at": NOW - HOUR},
    {**TOKEN, "token_id": "t-4", "name": "session:t-2", "principal": "kim", "expires_at": NOW + HOUR},
]
BUILT_IN = [
    {"role": {"key": key, "title": "", "like": key, "scopes": sorted(scopes)}, "built_in": True, "holders": []}
    for key, scopes in ROLES.items()
]
OWN_ROLE = {
    "role": {"key": "helpers", "title": PAYLOAD, "like": "marketer", "scopes": ["read"]},
    "built_in": False,
    "holders": [PAYLOAD],
    "etag": "e" * 64,
    "updated_at": NOW,
}


def asked(number: int, state: str, days_left: int | None, **more: Any) -> dict[str, Any]:
    """A person's request as the control API tells it."""
    return {
        "request_id": f"0190f3c2-0000-7000-8000-00000000000{number}",
        "kind": "erasure",
        "state": state,
        "subject": "hmac:0",
        "actor": PAYLOAD,
        "reason": PAYLOAD,
        "received_at": NOW,
        "due_at": NOW,
        "extension": PAYLOAD,
        "updated_at": NOW,
        "done_at": None,
        "progress": {},
        "days_left": days_left,
        "overdue": days_left is not None and days_left < 0,
        "change": None,
        **more,
    }


WAITS = {"change_id": "c-1", "state": "in_review", "approvals": [PAYLOAD], "needs": 2, "ready_at": None}
ASKED = (
    asked(1, "open", -2, change=WAITS),
    asked(2, "running", 20, progress={"passes": [{"rows": 7}]}),
    asked(3, "done", None, kind="access", progress={"models": []}),
    asked(4, "open", 25, kind="review", progress={"said": PAYLOAD, "decision_id": "d-1"}),
)
REQUESTS: Mapping[str, Any] = {
    "/subjects/requests": {"requests": list(ASKED)},
    **{f"/subjects/requests/{one['request_id']}": one for one in ASKED},
}
