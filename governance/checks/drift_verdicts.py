"""What is said of drift: each feature's verdict over the last windows, what was accepted, one sentence for everyone."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from governance.checks.judged import Measured, judge_all
from governance.checks.shift import MIN_ROWS, MISSING
from storage.records.drift import Acceptance
from storage.records.findings import Verdict

WINDOWS, CONFIRMED = 3, 2
"""A feature fails that is red in two of three windows; red in one of them may be chance."""


def feature_rows(
    measured: Sequence[Measured],
    *,
    kinds: Mapping[str, str],
    earlier: Sequence[set[str]] = (),
    accepted: Mapping[str, Acceptance] | None = None,
    importance: Mapping[str, float] | None = None,
) -> list[dict[str, Any]]:
    """Return one row per feature, the gravest first: by both lights, then by importance × effect ÷ threshold.

    Parameters
    ----------
    kinds
        ``input``, ``prediction``, ``exposure`` or ``outcome`` by feature.
    earlier
        The features that were red in each of the windows before.
    accepted
        Acceptances in force, by feature: such drift is shown and weighs nothing.
    importance
        Each feature's share of what the ranker in service goes by; empty where there is none.
    """
    rows = []
    for judged, each in zip(judge_all(measured), measured, strict=True):
        windows_red = int(judged.red) + sum(each.feature in window for window in earlier)
        verdict: Verdict = "unknown" if judged.statistical is None else "pass"
        if judged.red:
            verdict = "fail" if windows_red >= CONFIRMED else "warn"
        held = (accepted or {}).get(each.feature)
        rows.append(
            {
                **asdict(judged),
                "kind": kinds.get(each.feature.removesuffix(f" {MISSING}"), "input"),
                "verdict": verdict,
                "importance": (importance or {}).get(each.feature),
                "bins": list(each.binned.bins),
                "reference": each.binned.reference.tolist(),
                "current": each.binned.current.tolist(),
                "n_reference": each.rows[0],
                "n_current": each.rows[1],
                "missing_reference": _share(each, 0),
                "missing_current": _share(each, 1),
                "new_categories": len(each.binned.new),
                "windows_red": windows_red,
                "windows": 1 + len(earlier),
                "accepted": {"by": held.author, "until": held.until, "reason": held.reason} if held else None,
            }
        )
    rows.sort(key=_gravity)
    return rows


def _gravity(row: Mapping[str, Any]) -> tuple[bool, bool, float]:
    weight = 1.0 if row["importance"] is None else 0.01 + float(row["importance"])
    return (not row["red"], row["statistical"] is None, -weight * float(row["effect"]) / float(row["threshold"]))


def _share(each: Measured, side: int) -> float:
    rows = each.rows_of_all[side]
    return each.missing[side] / rows if rows else 0.0


def red_share(rows: Sequence[Mapping[str, Any]]) -> float | None:
    """Return how much of what the ranker goes by is red, None where no importance is known."""
    known = [row for row in rows if row["importance"] is not None]
    whole = sum(float(row["importance"]) for row in known)
    return sum(float(row["importance"]) for row in known if row["red"]) / whole if whole else None


def whole(rows: Sequence[Mapping[str, Any]], *, against: str) -> tuple[Verdict, str]:
    """Return the worst verdict that nobody accepted, and one sentence for everyone; ``against`` names what the window
    was held against."""
    open_rows = [row for row in rows if row["accepted"] is None]
    by = {verdict: [row["feature"] for row in open_rows if row["verdict"] == verdict] for verdict in ("fail", "warn")}
    taken = [row["feature"] for row in rows if row["accepted"] is not None and row["red"]]
    also = f" Accepted until a date: {_listed(taken)}." if taken else ""
    judged = sum(row["statistical"] is not None for row in rows)
    if not rows:
        return "unknown", "No rows in these windows: drift cannot be assessed."
    if by["fail"]:
        return "fail", f"Changed, and confirmed by a second window: {_listed(by['fail'])}.{also}"
    if by["warn"]:
        return "warn", f"Changed in this window, not yet confirmed by a second one: {_listed(by['warn'])}.{also}"
    if not judged:
        return "unknown", f"Too few rows to judge: each window needs {MIN_ROWS:,}."
    return "pass", f"No drift shown in {judged} features, this window against {against}.{also}"


def _listed(features: Sequence[str]) -> str:
    more = f" and {len(features) - 3} more" if len(features) > 3 else ""
    return ", ".join(features[:3]) + more
