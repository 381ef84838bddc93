"""Two things that were tried: a what-if, and an imported policy judged by another's log; hostile words everywhere."""

from storage import findings
from storage.database import Write
from storage.records.clock import DAY, HOUR
from storage.records.findings import Audit


def tried(write: Write, *, now: int, payload: str) -> None:
    """Keep both."""
    side = {
        "decisions": 400, "filled_per_decision": 3.0, "empty_share": 0.0, "fallback_share": 0.2, "default_share": 0.1,
        "model_share": 0.7, "capped_share": 0.05, "caps": {payload: 20}, "rules": {payload: 12}, "reasons": {"ok": 400},
        "people_reached": 90, "items_shown": 12,
    }  # fmt: skip
    group = {
        "group": payload, "decisions": 200, "changed_share": 0.1, "now_model_share": 0.7, "draft_model_share": 0.8,
        "now_filled": 3.0, "draft_filled": 3.0, "now_capped_share": 0.1, "draft_capped_share": 0.0,
    }  # fmt: skip
    shown = {"items": [payload, "a"], "served_by": "model", "reason": payload}
    exact = {
        "label": "exact", "caveat": payload, "decisions": 400, "changed": 40, "changed_share": 0.1,
        "first_changed_share": 0.05, "people_changed": 30, "now": side, "draft": {**side, "fallback_share": 0.1},
        "groups": {payload: {"groups": [group], "ratio": {"now": None, "draft": None}}},
        "exposure": {payload: {"groups": [{"group": payload, "now": 0.4, "draft": 0.6}], "moved": 0.2,
                               "others": {"now": 0.6, "draft": 0.4}}},
        "examples": [{"decision_id": "d-1", "at": now, "campaign": payload, "now": shown, "draft": shown}],
    }  # fmt: skip
    supported = {
        "n": 1_000, "ess": 400.0, "mean_weight": 1.01, "max_weight": 9.0, "unsupported_share": 0.0, "clip": 3.0,
        "clipped_share": 0.01, "ips": 0.02, "snips": 0.021, "logged": {"value": 0.02, "low": 0.01, "high": 0.03},
        "intervals": {"ips": [0.01, 0.03], "snips": [0.01, 0.03], "level": 0.95, "method": "bootstrap-t"},
        "verdict": "supported", "sentence": payload, "caveat": payload, "open_windows": 7,
    }  # fmt: skip
    refused = {**supported, "verdict": "worthless", "clip": None, "ess": 2.0, "really": 0.004}
    rehearsed = {"asked": 410, "again": 400, "exact": 390, "left_out": {payload: 10}, "unknown": [payload]}
    span = {"start": now - DAY, "end": now, "campaign": None}
    for audit in (
        Audit(
            audit_id="whatif-1", kind="whatif", job_id="1", at=now - HOUR, verdict="pass", sentence=payload,
            population={**span, "rows": 410, "of": 4_100, "origins": ["simulated"]},
            result={"scenario": {"edits": {"caps": {payload: {"limit": 1}}, "rules": {payload: None}}}, "exact": exact,
                    "estimated": supported, "rehearsed": rehearsed},
        ),
        Audit(
            audit_id="offpolicy-1", kind="offpolicy", job_id="2", at=now - 2 * HOUR, verdict="unknown",
            sentence=payload, population={**span, "rows": 1_000, "origins": ["imported"]},
            result={"scenario": {"log": "bts", "target": "uniform", "campaign": payload}, "estimated": refused},
        ),
    ):  # fmt: skip
        findings.save(write, audit)
