"""What the control API answers to the pages."""

from collections.abc import Mapping
from typing import Any

from storage.records.clock import HOUR
from tests.dashboard.week import NOW, PAYLOAD
from tests.dashboard.written import (
    BUILT_IN,
    CAP,
    CAP_ELSEWHERE,
    CARD_VIEW,
    DIFFERENCES,
    EMERGENCY,
    MET,
    ODD,
    OWN_ROLE,
    REQUESTS,
    RULE,
    TOGGLES,
    TOKENS,
)

DECISION = {
    "decision_id": "d-1",
    "at": NOW,
    "replica": "engine-0",
    "subject": "ab" * 16,
    "surface": "home",
    "campaign": PAYLOAD,
    "revision": 1,
    "consent_epoch": 3,
    "policy": "home",
    "version": 2,
    "bucket": 0.25,
    "model": "ranker",
    "model_version": "1",
    "scorer": "gbdt",
    "served_by": "model",
    "reason": PAYLOAD,
    "consent": {"personalization": True},
    "candidates": ["a", PAYLOAD],
    "scores": [0.5, 0.25],
    "ranking": [1, 0],
    "items": [PAYLOAD, "a"],
    "positions": [],
    "propensity": [0.9, 0.05],
    "propensity_kind": "conditional",
    "reasons": [["popular"], []],
    "confidence": None,
    "confidence_reason": "uncalibrated",
    "stage_us": {"score": 120, "log": 40},
    "origin": "simulated",
}
CHANGE = {
    "change_id": "c-1",
    "kind": "policy.rollout",
    "object_key": "home",
    "payload": {"note": PAYLOAD},
    "state": "in_review",
    "level": "D2",
    "author": PAYLOAD,
    "reason": PAYLOAD,
    "approvals": [],
    "needs": 1,
    "created_at": NOW,
    "updated_at": NOW,
}
ENTRY = {
    "seq": 7,
    "at": NOW,
    "actor": PAYLOAD,
    "action": "campaign.pause",
    "object_kind": "campaign",
    "object_key": PAYLOAD,
    "before": {"status": "running"},
    "after": {"status": "paused"},
    "reason": PAYLOAD,
    "result": "applied",
    "four_eyes": False,
    "revision": 3,
    "previous": "aa",
    "hash": "bb",
}
VERSION = {"state": "stable", "author": PAYLOAD, "note": PAYLOAD, "digest": "ff" * 32, "created_at": NOW}
POLICY = {
    "key": "home",
    "surface": "home",
    "stable": 1,
    "previous": None,
    "etag": "e1",
    "rollout": {"version": 2, "percent": 25.0, "started_at": NOW - HOUR},
    "versions": [VERSION | {"version": 2, "state": "rollout"}, VERSION | {"version": 1}],
}
SYSTEM = {
    "environment": "development",
    "solo": False,
    "version": "0.1.0",
    "revision": 1,
    "consent_epoch": 0,
    "kill_switch": {"on": False, "since": None, "reason": ""},
    "disk": {"free": 2**33, "total": 2**35},
    "ledger_head": {"seq": 7, "at": NOW, "hash": "bb"},
}
SLO = {
    "key": "shop", "title": PAYLOAD, "indicator": "latency", "objective": 0.99, "period_days": 30,
    "windows": [{"long_s": 3600, "short_s": 300, "factor": 14.4}], "enabled": True,
}  # fmt: skip
ROLLOUT: Mapping[str, Any] = {
    "rollout_id": "r1",
    "policy": "home",
    "plan": {"version": 2, "steps": [1.0, 5.0, 100.0], "alpha": 0.04, "dwell_s": 600, "waived": ["fairness"]},
    "state": "asking",
    "percent": 5.0,
    "ahead": 100.0,
    "marks": [{"percent": 1.0, "revision": 3, "at": NOW - HOUR}, {"percent": 5.0, "revision": 4, "at": NOW - HOUR}],
    "announced": [20_000, 40_000],
    "base_rate": 0.05,
    "rate_from": "measured",
    "note": PAYLOAD,
    "updated_at": NOW - 5_000_000,
    "latest": {
        "seq": 7,
        "at": NOW - 5_000_000,
        "percent": 5.0,
        "step": "hold",
        "reason": PAYLOAD,
        "evidence": {"origins": ["simulated"], "steps": [{"decisions": [100, 900]}, {"decisions": [500, 9_500]}]},
        "findings": [
            {
                "gate": gate,
                "verdict": verdict,
                "sentence": PAYLOAD,
                "waived": gate == "fairness",
                "missing": 1_200 if gate == "outcome" else None,
                "figures": [
                    {
                        "name": PAYLOAD,
                        "treated": 0.05,
                        "control": 0.051,
                        "low": -0.01,
                        "high": 0.008,
                        "limit": -0.02,
                        "strength": None,
                        "needed": None,
                    }
                ],
            }
            for gate, verdict in (
                ("slo", "pass"),
                ("outcome", "unknown"),
                ("drift", "warn"),
                ("fairness", "fail"),
                ("sample", "pass"),
            )
        ],
    },
}
ANSWERS: Mapping[str, Any] = {
    "/tokens": {"tokens": TOKENS},
    "/roles": {"roles": [*BUILT_IN, OWN_ROLE], "scopes": ["read"]},
    "/toggles": {"toggles": TOGGLES},
    "/toggles/validate": {"problems": [{"field": PAYLOAD, "message": PAYLOAD}], "level": "D2", "reach": 0.3},
    "/toggles/new/try": {
        "evaluations": [{"value": PAYLOAD, "on": True, "source": "force", "rule": PAYLOAD, "bucket": 0.5}]
    },
    "/toggles/odd/try": {
        "evaluations": [{"value": None, "on": False, "source": "disabled", "rule": "", "bucket": None}]
    },
    "/changes/c-1/diff": DIFFERENCES,
    "/changes/c-2/diff": DIFFERENCES | {"stale": False},
    "/emergencies": {
        "emergencies": [EMERGENCY, EMERGENCY | {"emergency_id": "em-2", "reviewed_at": NOW, "finding": PAYLOAD}],
        "waiting_for_review": ["em-1"],
        "now": NOW,
    },
    **{f"/policies/home/versions/{number}/card": CARD_VIEW for number in (1, 2)},
    "/slos": {
        "slos": [{"slo": SLO, "own": True}, {"slo": SLO | {"key": "availability"}, "own": False}],
        "indicators": {"latency": PAYLOAD, "availability": "answered"},
        "now": NOW,
    },
    "/slos/shop": {"slo": SLO, "own": True, "etag": "e", "previous": None},
    "/rules": {
        "rules": [
            {"rule": one, "etag": "e", "updated_at": NOW, "previous": RULE | {"factor": 0.5}} for one in (RULE, ODD)
        ]
    },
    "/rules/conflicts": {"conflicts": [MET]},
    "/caps": {
        "caps": [CAP, CAP | {"name": PAYLOAD, "behind": PAYLOAD, "previous": None}],
        "elsewhere": [CAP_ELSEWHERE],
    },
    "/caps/validate": {"problems": [], "behind": PAYLOAD, "sentence": f"each {PAYLOAD} at most once", "level": "D2"},
    "/rules/validate": {
        "problems": [{"field": PAYLOAD, "message": PAYLOAD}],
        "conflicts": [MET],
        "level": "D1",
    },
    "/policies": {"policies": [POLICY]},
    "/rollouts": {"rollouts": [ROLLOUT]},
    "/rollouts/r1/looks": {"looks": [ROLLOUT["latest"]]},
    "/rollouts/preview": {
        "announced": [20_000, 40_000],
        "decisions": 60_000,
        "base_rate": 0.05,
        "rate_from": "assumed",
        "preflight": {"verdict": "unknown", "sentence": PAYLOAD, "audit_id": ""},
    },
    "/policies/home/diff": {
        "fields": [
            {
                "path": "scorer.name",
                "before": "popular",
                "after": PAYLOAD,
                "sentence": f"The scorer goes from popular to {PAYLOAD}",
            }
        ]
    },
    "/policies/home/versions/1": VERSION | {"version": 1, "document": {"surface": "home"}},
    "/changes": {
        "changes": [
            CHANGE,
            CHANGE | {"change_id": "c-2", "state": "scheduled", "apply_at": NOW + HOUR, "scheduled_by": PAYLOAD},
            CHANGE | {"change_id": "c-3", "kind": "toggle.edit", "state": "approved", "ready_at": NOW + HOUR},
        ]
    },
    "/decisions": {
        "decisions": [
            {
                name: DECISION[name]
                for name in (
                    "decision_id",
                    "at",
                    "campaign",
                    "served_by",
                    "reason",
                    "policy",
                    "version",
                    "items",
                    "origin",
                )
            }
        ]
    },
    "/decisions/d-1": {"decision": DECISION, "from": "lake"},
    "/decisions/d-1/explanation": {
        "items": [
            {
                "item": "a",
                "sentences": [PAYLOAD],
                "base": 0.1,
                "sum": 0.5,
                "contributions": [{"feature": PAYLOAD, "value": 1.0, "contribution": 0.4}],
            }
        ],
        "attributions": "exact",
    },
    "/decisions/d-1/replay": {"verdict": "exact", "stage": None, "reason": ""},
    "/ledger": {"entries": [ENTRY], "next_before_seq": None},
    "/ledger/own": {"entries": [ENTRY], "next_before_seq": None},
    "/ledger/verify": {"ok": False, "entries": 7, "first_bad": 5, "anchored_to": 6, "reason": PAYLOAD},
    "/system": SYSTEM,
    **REQUESTS,
    "/consents/texts": {
        "texts": [
            {"purpose": "email", "version": PAYLOAD, "language": "en", "granted": None, "at": NOW, "body": PAYLOAD}
        ],
        "granted_to_unknown_wordings": 0,
    },
    "/consents/platforms": {"platforms": {PAYLOAD: {"purposes": {PAYLOAD: ["email"]}}}},
    "/consents/receipts": {"receipts": [{"purpose": "email"}]},
    "/consents/history": {
        "changes": [
            {
                "epoch": 1,
                "at": NOW,
                "purpose": "personalization",
                "state": "denied",
                "source": "dashboard",
                "reason": PAYLOAD,
                "actor": PAYLOAD,
            }
        ]
    },
}
NOTHING: Mapping[str, Any] = {
    "/tokens": {"tokens": []},
    "/roles": {"roles": BUILT_IN, "scopes": ["read"]},
    "/subjects/requests": {"requests": []},
    "/consents/texts": {"texts": [], "granted_to_unknown_wordings": 0},
    "/consents/platforms": {"platforms": {}},
    "/toggles": {"toggles": []},
    "/emergencies": {"emergencies": [], "waiting_for_review": [], "now": NOW},
    "/slos": {"slos": [], "indicators": {"availability": "answered"}, "now": NOW},
    "/rules": {"rules": []},
    "/rules/conflicts": {"conflicts": []},
    "/caps": {"caps": [], "elsewhere": []},
    "/policies": {"policies": []},
    "/rollouts": {"rollouts": []},
    "/changes": {"changes": []},
    "/decisions": {"decisions": []},
    "/ledger": {"entries": [], "next_before_seq": None},
    "/ledger/own": {"entries": [], "next_before_seq": None},
    "/system": SYSTEM | {"ledger_head": None},
}
