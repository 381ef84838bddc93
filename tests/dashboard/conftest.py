"""A database as a week of work leaves it, and a control API that answers from a table."""

from collections.abc import Mapping
from typing import Any

import pytest

from dashboard.context import Context, Me
from dashboard.span import resolve
from storage import campaigns, cells, findings, heartbeats, receipts, revisions, series, sketches, verdicts
from storage.database import Database
from storage.errors import NotFound, Unavailable
from storage.records.access import ROLES
from storage.records.campaigns import Campaign
from storage.records.changes import Receipt
from storage.records.clock import DAY, HOUR, MINUTE, SECOND
from storage.records.findings import Audit
from storage.records.metrics import Counter, Histogram, Window
from storage.records.policies import Attribute, Installation, PolicyState, Snapshot, Surface
from storage.records.verdicts import CheckVerdict
from storage.tables.observed import CellRow
from tests.dashboard import registered, rehearsed

NOW = 1_795_000_000 * SECOND
PAYLOAD = "<script>alert(1)</script>![x](http://evil.test/p.png) $a$ :red[b] www.evil.test =1+1 </b> **c**"
L20 = (0.001, 0.0025, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0)


def cell(start: int, cube: str, a: str = "", b: str = "", **fields: Any) -> CellRow:
    about = {"campaign": "men", "origin": "live", "impressions": 0, "clicks": 0, "last_at": start, "users_known": False}
    return CellRow(start=start, cube=cube, a=a, b=b, users=sketches.pack(()), **(about | fields))


def week_of_cells(*, clicks_per_hour: int = 3) -> list[CellRow]:
    """A week, an hour at a time: 400 impressions each, three positions, four items, two segments, one nasty name."""
    rows = []
    first = NOW - 7 * DAY - (NOW - 7 * DAY) % (15 * MINUTE)
    for hour in range(7 * 24):
        start = first + hour * HOUR
        for campaign, origin in (("men", "live"), (PAYLOAD, "live"), ("men", "simulated")):
            about = {"campaign": campaign, "origin": origin}
            rows.append(
                cell(
                    start,
                    "time",
                    impressions=400,
                    clicks=clicks_per_hour,
                    decisions=400,
                    shown_decisions=400,
                    hit_decisions=clicks_per_hour,
                    model_decisions=300,
                    **about,
                )
            )
            rows += [
                cell(
                    start,
                    "position_item",
                    a=str(place % 3 + 1),
                    b=PAYLOAD if place == 3 else f"item-{place}",
                    impressions=100,
                    clicks=clicks_per_hour // 3 if place < 3 else 0,
                    **about,
                )
                for place in range(4)
            ]
            rows += [
                cell(
                    start,
                    "segment",
                    a=f"age={value}",
                    b=campaign,
                    impressions=200,
                    clicks=clicks_per_hour // 2,
                    **about,
                )
                for value in ("old", PAYLOAD)
            ]
    return rows


def put(database: Database, rows: list[CellRow]) -> None:
    with database.write() as write:
        for key in {(row.campaign, row.start) for row in rows}:
            cells.replace(write, *key, [row for row in rows if (row.campaign, row.start) == key])


def window(seq: int, *, decisions: int = 40, errors: int = 0, replica: str = "engine-0") -> Window:
    end = NOW - NOW % (10 * SECOND) - (360 - seq) * 10 * SECOND
    counts = [0] * (len(L20) + 1)
    counts[4], counts[8] = decisions - decisions // 10, decisions // 10
    return Window(
        replica=replica,
        boot_id="boot",
        seq=seq,
        start=end - 10 * SECOND,
        end=end,
        monotonic_us=10 * SECOND,
        counters=(
            Counter(
                name="fairlead_decision_requests_total",
                value=decisions - 4,
                labels={"campaign": "men", "outcome": "model", "reason": "ok"},
            ),
            Counter(
                name="fairlead_decision_requests_total",
                value=4,
                labels={"campaign": "men", "outcome": "default", "reason": "no_consent"},
            ),
            Counter(
                name="fairlead_http_requests_total",
                value=decisions,
                labels={"route": "/v1/personalize", "method": "POST", "status_class": "2xx"},
            ),
            *(
                [
                    Counter(
                        name="fairlead_http_requests_total",
                        value=errors,
                        labels={"route": "/v1/personalize", "method": "POST", "status_class": "5xx"},
                    )
                ]
                if errors
                else []
            ),
            Counter(name="fairlead_cache_requests_total", value=30, labels={"cache": "profile", "result": "hit"}),
            Counter(name="fairlead_cache_requests_total", value=10, labels={"cache": "profile", "result": "miss"}),
            Counter(name="fairlead_consent_checks_total", value=decisions, labels={"result": "granted"}),
        ),
        histograms=(
            Histogram(
                name="fairlead_decision_duration_seconds",
                labels={"outcome_class": "ok"},
                edges=L20,
                counts=tuple(counts),
                sum=decisions * 0.01,
            ),
            Histogram(
                name="fairlead_decision_stage_duration_seconds",
                labels={"stage": "score"},
                edges=L20,
                counts=tuple(counts),
                sum=decisions * 0.004,
            ),
            Histogram(
                name="fairlead_decision_confidence_ratio",
                labels={"campaign": "men"},
                edges=tuple(step / 20 for step in range(1, 21)),
                counts=(*([0] * 11), decisions, *([0] * 9)),
                sum=decisions * 0.6,
            ),
        ),
    )


def _group(name: str, n: int, ratio: float = 0.9) -> dict[str, Any]:
    small = n < 100
    told = {"value": 0.02, "low": 0.01, "high": 0.04, "ratio": ratio, "ratio_low": 0.5, "ratio_high": 1.6}
    return {"group": name, "n": n, "named": False, "too_small": small, **told}


def _metric(name: str, groups: list[dict[str, Any]]) -> dict[str, Any]:
    starts = (NOW - 2 * DAY, NOW - DAY)
    return {
        "metric": name,
        "overall": 0.02,
        "groups": groups,
        "p": 0.4,
        "ratio": 0.7,
        "verdict": "unknown",
        "sentence": f"Inconclusive: about 900 more needed in {PAYLOAD}.",
        "needed": 900,
        "trend": [{"start": at, "n": 7000, "groups": [dict(group) for group in groups]} for at in starts],
        "by_control": [{"level": PAYLOAD, "n": 7000, "groups": [dict(one) for one in groups], "ratio": 0.9}],
    }


_PEOPLE = [_group("old", 4000), _group(PAYLOAD, 3000), _group("few", 12)]
_PAIRS = [_group(f"old × {PAYLOAD}", 4000, 0.6), _group(f"old × {PAYLOAD}2", 12)]
FAIRNESS = {
    "attributes": [
        {
            "attribute": "age",
            "by": ["age"],
            "levels": [["old"], [PAYLOAD], ["few"]],
            "known": 7012,
            "unknown": 100,
            "metrics": [_metric(name, _PEOPLE) for name in ("exposure", "click_rate")],
        }
    ],
    "intersections": [
        {
            "attribute": f"age × {PAYLOAD}",
            "by": ["age", PAYLOAD],
            "levels": [["old", PAYLOAD], ["old", f"{PAYLOAD}2"]],
            "known": 4012,
            "unknown": 3100,
            "metrics": [_metric(name, _PAIRS) for name in ("exposure", "click_rate")],
        }
    ],
    "providers": [
        {
            "attribute": "item.provider",
            "unseen": 2,
            "groups": [
                {
                    "group": PAYLOAD,
                    "items": 3,
                    "catalogue_share": 0.2,
                    "exposure_share": 0.3,
                    "click_share": 0.0,
                    "exposure_to_merit": None,
                }
            ],
        }
    ],
    "left_out": {"benefit": "no campaign here has a goal other than the outcome"},
    "control": PAYLOAD,
    "period": "day",
    "flips": [
        {"version": "men 1", "first": NOW - 2 * DAY, "last": NOW, "n": 9},
        {"version": PAYLOAD, "first": NOW - DAY, "last": NOW, "n": 9},
    ],
}
DRIFT = {
    "features": [
        {
            "feature": PAYLOAD,
            "psi": 0.3,
            "threshold": 0.1,
            "p": 1e-9,
            "statistical": True,
            "material": True,
            "verdict": "warn",
            "bins": ["a", PAYLOAD],
            "reference": [10, 90],
            "current": [60, 40],
            "n_reference": 100,
            "n_current": 100,
            "missing_reference": 0.0,
            "missing_current": 0.1,
            "new_categories": 1,
            "windows_red": 1,
            "windows": 1,
        }
    ]
}


ARM = {
    "arm": PAYLOAD, "decisions": 900, "people": 90, "impressions": 900, "clicks": 40, "rate": 0.044, "low": 0.03,
    "high": 0.06, "conversions": 0, "conversion_rate": None, "conversion_low": 0.0, "conversion_high": 1.0,
    "versus": {"value": -0.02, "low": -0.04, "high": -0.001, "p": 0.03, "unit": "people"},
}  # fmt: skip
RULES = {
    "effects": [
        {
            "rule": "lift", "version": 2, "since": NOW - DAY, "tested": False, "reference": PAYLOAD, "eligible": 2_000,
            "held": 900, "applied": 800, "arms": [ARM, ARM | {"arm": "off", "rate": None, "versus": None}],
            "origins": ["live", "simulated"], "simulated": True,
        }
    ],
    "advice": [{"rule": "lift", "kind": "harms", "verdict": "fail", "sentence": f"{PAYLOAD} lowers.", "missing": 3}],
}  # fmt: skip


def fill(database: Database) -> None:
    """Write a week."""
    put(database, week_of_cells())
    with database.write() as write:
        for key in ("men", PAYLOAD):
            campaigns.save(
                write, Campaign(key=key, name=f"{key} fashion", surfaces=("home",), status="running"), at=NOW
            )
        surface = Surface(key="home", context={"age": Attribute(type="string", sensitive=True)})
        installation = Installation(region="demo", surfaces={"home": surface})
        revisions.publish(
            write,
            Snapshot(
                revision=0,
                at=NOW,
                installation=installation,
                policies={"home": PolicyState(key="home", surface="home", stable=1)},
            ),
        )
        receipts.report(
            write,
            Receipt(
                replica="engine-0",
                boot_id="boot",
                url="http://127.0.0.1:8010",
                revision=1,
                consent_epoch=0,
                at=NOW - SECOND,
                started_at=NOW - HOUR // 2,
                details={
                    "plugins": {
                        "enricher.sky": {"version": "1", "state": "closed", "trouble": "", "ok": 7, "error": 1},
                        "scorer.dear": {"version": "", "state": "broken", "trouble": PAYLOAD},
                    }
                },
            ),
        )
        for seq in range(0, 360):
            if not 100 <= seq < 160:
                series.store(write, "t0", window(seq, errors=1 if seq % 50 == 0 else 0))
        heartbeats.beat(write, "poll", every_s=10, at=NOW - SECOND)
        heartbeats.beat(write, "roll-up", every_s=60, at=NOW - HOUR, error=PAYLOAD)
        registered.versions(write, now=NOW, payload=PAYLOAD)
        rehearsed.tried(write, now=NOW, payload=PAYLOAD)
        for check, word, age in (("consent", "pass", 600), ("consent", "fail", 20), ("latency", "warn", 900)):
            seen = NOW - age * SECOND
            verdicts.record(
                write, CheckVerdict(check=check, since=seen, seen=seen, verdict=word, sentence=f"It is {PAYLOAD}.")
            )
        for kind, result in (("fairness", FAIRNESS), ("drift", DRIFT), ("rules", RULES)):
            findings.save(
                write,
                Audit(
                    audit_id=f"{kind}-1",
                    kind=kind,
                    job_id="1",
                    at=NOW - HOUR,
                    verdict="unknown",
                    sentence=f"Not enough data about {PAYLOAD}.",
                    population={"rows": 60000, "name": PAYLOAD, "reference": {"start": 0, "end": 1, "rows": 2}},
                    result=result,
                    artifacts={"report.html": f"audits/{kind}-1/report.html"},
                ),
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
)
REQUESTS: Mapping[str, Any] = {
    "/subjects/requests": {"requests": list(ASKED)},
    **{f"/subjects/requests/{one['request_id']}": one for one in ASKED},
}

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
ANSWERS: Mapping[str, Any] = {
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
    "/subjects/requests": {"requests": []},
    "/consents/texts": {"texts": [], "granted_to_unknown_wordings": 0},
    "/consents/platforms": {"platforms": {}},
    "/toggles": {"toggles": []},
    "/emergencies": {"emergencies": [], "waiting_for_review": [], "now": NOW},
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


class TableControl:
    """A control API that answers from a table and remembers commands."""

    def __init__(self, answers: Mapping[str, Any] | None) -> None:
        self.answers = answers
        self.given: list[tuple[str, Mapping[str, Any]]] = []
        self.asked: list[tuple[str, Mapping[str, Any]]] = []

    def _answer(self, path: str) -> Any:
        if self.answers is None:
            raise Unavailable("the control API does not answer")
        if path not in self.answers:
            raise NotFound(f"no such thing: {path}")
        found = self.answers[path]
        if isinstance(found, Exception):
            raise found
        return found

    def get(self, path: str, /, **query: Any) -> Any:
        self.asked.append((path, query))
        return self._answer(path)

    def post(self, path: str, body: Mapping[str, Any], /, *, etag: str | None = None) -> Any:
        self.given.append((path, dict(body)))
        return self._answer(path)

    def put(self, path: str, body: Mapping[str, Any], /, *, etag: str) -> Any:
        return self.post(path, body, etag=etag)

    def delete(self, path: str, body: Mapping[str, Any], /, *, etag: str) -> Any:
        return self.post(path, body, etag=etag)

    def download(self, path: str, /) -> bytes:
        return b"report"


def person(role: str) -> Me:
    return Me(principal=PAYLOAD, role=role, scopes=frozenset(scope.value for scope in ROLES[role]))


def surroundings(database: Database, *, role: str = "admin", answers: Mapping[str, Any] | None = ANSWERS) -> Context:
    return Context(
        database=database,
        control=TableControl(answers),
        me=person(role),
        now=NOW,
        span=resolve("7d", now=NOW, zone="UTC"),
    )


@pytest.fixture
def filled(sqlite_database: Database) -> Database:
    """A database with a week in it."""
    fill(sqlite_database)
    return sqlite_database
