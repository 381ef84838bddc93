"""A registry after two weeks of retraining: versions that served, waited, were kept out and taken back."""

from storage import jobs, registry
from storage.database import Write
from storage.records.clock import DAY, HOUR
from storage.records.models import Calibration, ModelVersion, Reliability


def versions(write: Write, *, now: int, payload: str) -> None:
    """Put two rankers, one kept out, one rolled back, a forecast and a finder into the registry."""
    feedback = {"people": 900, "weighted_down": 7, "reasons": {"too_fast": 7}, "signals": {"too_fast": payload}}
    told = {"sentence": payload, "verdict": "better", "model": 0.7, "model_low": 0.6, "model_high": 0.8}
    lineage = {
        "trained": {"rows": 42_000, "clicks": 190, "from": payload, "to": "2026-01-01T00:00:00Z"},
        "files": [{"path": payload, "sha256": "aa", "rows": 9}],
        "feedback": feedback,
        payload: {payload: payload},
    }
    bins = tuple(Reliability(predicted=0.5 + step / 20, observed=0.5 + step / 25, count=100) for step in range(10))
    proven = Calibration(
        status="proven", x=(0.0, 1.0), y=(0.4, 0.9), clicked_impressions=1_200, pairs=9_000, bins=bins,
        error=0.02, error_low=0.01, error_high=0.04, skill=0.1, skill_low=0.05, skill_high=0.2,
    )  # fmt: skip
    for number in range(4):
        registry.register(
            write,
            ModelVersion(
                name="ranker", version=f"2026010{number}T000000.000000Z", created_at=now - (9 - number) * DAY, path="p",
                digest="d", members=10, trees=20, lineage=lineage, calibration=proven,
                evaluation=told | {"rival": payload, "rival_value": 0.5, "clicks": 93},
            ),
        )  # fmt: skip
    verdict = {"reason": payload, "against": "20260100T000000.000000Z", "metric": payload, "difference": -0.03,
               "difference_low": -0.06, "difference_high": 0.01, "margin": 0.01, "count": 93}  # fmt: skip
    for number, promoted in ((1, True), (2, True), (3, False)):
        registry.note_verdict(
            write, "ranker", f"2026010{number}T000000.000000Z", verdict | {"promoted": promoted, "waits": False}
        )
    for number in range(3):
        registry.promote(write, "ranker", f"2026010{number}T000000.000000Z", at=now - (8 - number) * DAY)
    registry.roll_back(write, "ranker", at=now - DAY)
    for name, kind, members in (("churn", "person", 1), ("factors", "factors", 0)):
        registry.register(
            write,
            ModelVersion(
                name=name, version="1", kind=kind, created_at=now - DAY, path="p", digest="d", members=members,
                evaluation=told | {"rules": {payload: told}, "calibration": payload},
            ),
        )  # fmt: skip
    for kind in ("minor", "major"):
        asked = jobs.enqueue(
            write, name="retrain", arguments={"kind": kind, "slot": payload}, requested_by=payload, now=now - HOUR
        )
        jobs.claim(write, now=now - HOUR, job_id=asked.job_id)
        steps = [
            {
                "step": payload,
                "state": state,
                "reason": payload,
                "evaluation": payload,
                "promotion": None,
                "seconds": 1.5,
            }
            for state in ("trained", "skipped", "failed")
        ]
        jobs.finish(write, asked.job_id, now=now - HOUR // 2, result={"steps": steps, "feedback": feedback})
