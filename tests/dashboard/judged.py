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


def _lift(low: float, high: float) -> dict[str, Any]:
    return {
        "value": 0.01, "low": low, "high": high, "relative": 0.5, "relative_low": 0.1, "relative_high": 1.1, "p": 0.01,
    }  # fmt: skip


def _arm(name: str, clicks: int) -> dict[str, Any]:
    return {
        "arm": name, "share": 0.5, "decisions": 900, "people": 400, "known": 400, "impressions": 2000, "clicks": clicks,
        "conversions": clicks, "rate": clicks / 2000, "low": 0.01, "high": 0.04, "conversion_rate": clicks / 2000,
        "conversion_low": 0.01, "conversion_high": 0.04, "buyers": 3, "value": 40.0,
    }  # fmt: skip


def _experiment(key: str, origin: str, hidden: str) -> dict[str, Any]:
    return {
        "key": key, "kind": key.partition("/")[0], "title": f"Campaign {key} {PAYLOAD}", "origin": origin,
        "reference": "held_out", "started_at": NOW - 9 * DAY, "last_at": NOW, "hidden": hidden,
        "health": {
            "days": 9, "people": 800, "impressions": 4000, "events": 100, "srm_p": 0.2, "srm_deviation": 0.004,
            "srm": "pass", "crossed": 2, "crossed_share": 0.0025, "sentence": "The arms have their shares.",
        },
        "arms": [_arm(PAYLOAD, 60), _arm("held_out", 40)],
        "comparisons": [
            {"metric": metric, "arm": PAYLOAD, "lift": _lift(0.001, 0.02), "stands": True, "needed": needed}
            for metric, needed in (("clicks", 900), ("buyers", None), ("value", None))
        ],
        "days": [
            {"day": NOW // DAY * DAY - at * DAY, "arm": arm, "decisions": 90, "impressions": 180}
            for at in (2, 1) for arm in (PAYLOAD, "held_out")
        ],
        "verdict": "unknown" if hidden else "pass", "advice": "wait" if hidden else "ship",
        "sentence": hidden or f"Shown to be clicked more: {PAYLOAD}. Ship it.",
    }  # fmt: skip


EXPERIMENTS: dict[str, Any] = {
    "experiments": [
        _experiment("holdout/men", "real", ""),
        _experiment("holdout/women", "real", "Results are hidden for 2 more days: an early look decides nothing."),
        _experiment("rule/lift", "simulated", ""),
    ]
}


def _prefers(kind: str, value: str, *, masked: bool = False) -> dict[str, Any]:
    apart = {"value": 0.01, "low": 0.002, "high": 0.02, "p": 0.01, "unit": "people", "stands": True}
    figures = {"people": 200, "impressions": 900, "clicks": 30, "rate": 0.03, "low": 0.02, "high": 0.05, "apart": apart}
    return {"kind": kind, "value": value, "masked": masked, **(dict.fromkeys(figures) if masked else figures)}


def _creator(name: str, rows: str, verdict: str = "pass") -> dict[str, Any]:
    return {
        "creator": name, "rows": rows, "items": 3, "verdict": verdict, "sentence": f"Clicked more, says {PAYLOAD}.",
        **{key: value for key, value in _prefers("", "").items() if key not in {"kind", "value", "masked"}},
        "prefers": [
            _prefers("segment", "new"), _prefers("segment", PAYLOAD), _prefers("context", "device=tv", masked=True),
            _prefers("item", PAYLOAD),
        ],
    }  # fmt: skip


def _cohort(weeks: int, people: int | None) -> dict[str, Any]:
    rates = (
        {"back": 40, "rate": 0.4, "low": 0.3, "high": 0.5} if people else dict.fromkeys(("back", "rate", "low", "high"))
    )
    return {"rows": "live", "cohort": NOW - 21 * DAY, "weeks": weeks, "people": people, **rates}


INSIGHTS: dict[str, Any] = {
    "attribute": PAYLOAD,
    "creators": [_creator(PAYLOAD, "live"), _creator("Ada", "simulated", "warn")],
    "cohorts": [*(_cohort(weeks, 100) for weeks in range(3)), {**_cohort(0, None), "rows": "simulated"}],
}
