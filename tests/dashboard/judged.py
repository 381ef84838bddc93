"""What audits and rules found in a week, as the pages are told it."""

from typing import Any

from storage.records.clock import DAY
from tests.dashboard.week import NOW, PAYLOAD


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
