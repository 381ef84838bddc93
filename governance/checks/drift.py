"""The drift audit: what people, items and outcomes looked like in one window against a later one."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from governance.checks.artifacts import keep
from governance.checks.columns import Column, load_columns
from governance.checks.shift import FAMILY_LEVEL, MIN_ROWS, MISSING, Binned, Shift, judge
from scoring_core.learning.outcomes import parameters
from storage import findings
from storage.database import Database, Read
from storage.errors import Invalid, Problem
from storage.lake import Lake
from storage.records.document import document, parse
from storage.records.findings import Audit, Verdict

REPORT_ROWS = 50_000
"""How many rows of each window Evidently's report may read; our own figures use all."""

WINDOWS, CONFIRMED = 3, 2


@document
class DriftArguments:
    """What an audit compares: rows in [start, split) against [split, end), microseconds UTC; without them the span of
    the data, halved. ``report`` asks for Evidently's report besides."""

    campaign: str | None = None
    policy: str | None = None
    start: int | None = None
    split: int | None = None
    end: int | None = None
    origins: tuple[str, ...] = ("imported",)
    outcome: str = "click"
    features: tuple[str, ...] = ()
    report: bool = True


def run_drift(
    database: Database, lake: Lake, *, job_id: str, arguments: Mapping[str, Any], now: int, home: Path
) -> Audit:
    """Run the audit, store it (``findings.save``) and return it; ``audit_id`` is ``drift-{job_id}``.

    A feature *fails* if both lights are on in this and in at least one of the two windows audited before; on in this
    window alone it *warns*, since one window in three may be chance.

    Raises
    ------
    Invalid
        If an argument is unknown or of the wrong type.
    """
    asked = parse(DriftArguments, arguments)
    bounds = {name: value for name in ("start", "end") if (value := getattr(asked, name)) is not None}
    bound = parameters(
        now=now, origins=asked.origins, campaign=asked.campaign, policy=asked.policy, outcome=asked.outcome, **bounds
    )
    at, columns = load_columns(database, lake, bound=bound)
    start, split, end = _bounds(asked, at)
    inside = slice(*np.searchsorted(at, [start, end]))
    columns = [column.cut(inside) for column in _chosen(columns, asked.features)]
    cut = int(np.searchsorted(at[inside], split))
    total = len(at[inside])
    population = {
        "campaign": asked.campaign,
        "policy": asked.policy,
        "origins": list(asked.origins),
        "reference": {"start": start, "end": split, "rows": cut},
        "current": {"start": split, "end": end, "rows": total - cut},
    }
    with database.read() as read:
        earlier = _earlier(read, population)
    binned = [column.binned(cut) for column in columns]
    rows = [
        _row(column, each, shift=shift, earlier=earlier)
        for column, each, shift in zip(columns, binned, judge(binned), strict=True)
    ]
    rows.sort(key=lambda row: (-int(bool(row["statistical"] and row["material"])), -row["psi"] / row["threshold"]))
    audit_id = f"drift-{job_id}"
    verdict, sentence = _whole(rows, total=total)
    files = evidently_report(columns, cut) if asked.report and 0 < cut < total else {}
    audit = Audit(
        audit_id=audit_id,
        kind="drift",
        job_id=job_id,
        at=now,
        verdict=verdict,
        sentence=sentence,
        population=population,
        result={
            "features": rows,
            "family": {"features": len(rows), "method": "Benjamini–Hochberg", "level": FAMILY_LEVEL},
            "minimum_rows": MIN_ROWS,
            "report": {"rows_per_window": min(REPORT_ROWS, cut, total - cut), "methods": METHODS} if files else None,
            "versions": {name: version(name) for name in ("fairlead", "evidently")},
        },
        artifacts=keep(home, audit_id, files),
    )
    with database.write() as write:
        findings.save(write, audit)
    return audit


def _chosen(columns: Sequence[Column], features: Sequence[str]) -> list[Column]:
    known = {column.feature for column in columns}
    if columns and not known.issuperset(features):
        problem = Problem(field="features", message=f"no such feature; there are {', '.join(sorted(known))}")
        raise Invalid("features: at least one of the names is none that these rows have", problems=(problem,))
    return [column for column in columns if not features or column.feature in features]


def _bounds(asked: DriftArguments, at: NDArray[np.int64]) -> tuple[int, int, int]:
    start = asked.start if asked.start is not None else int(at[0]) if len(at) else 0
    end = asked.end if asked.end is not None else int(at[-1]) + 1 if len(at) else start + 1
    split = asked.split if asked.split is not None else start + (end - start) // 2
    if not start <= split <= end:
        raise Invalid("split: must lie between start and end")
    return start, split, end


def _earlier(read: Read, population: Mapping[str, Any]) -> list[set[str]]:
    """Return the features that were red in each of the two other windows of this population audited last."""
    same = ("campaign", "policy", "origins")
    seen = {population["current"]["start"]}
    windows: list[set[str]] = []
    for audit in findings.audits(read, "drift", limit=50):
        window = audit.population.get("current", {}).get("start")
        if window in seen or any(audit.population.get(name) != population[name] for name in same):
            continue
        seen.add(window)
        windows.append(
            {row["feature"] for row in audit.result.get("features", ()) if row["statistical"] and row["material"]}
        )
        if len(windows) == WINDOWS - 1:
            break
    return windows


def _row(column: Column, binned: Binned, *, shift: Shift, earlier: Sequence[set[str]]) -> dict[str, Any]:
    red = bool(shift.statistical and shift.material)
    windows_red = int(red) + sum(column.feature in window for window in earlier)
    verdict: Verdict = "unknown" if shift.statistical is None else "pass"
    if red:
        verdict = "fail" if windows_red >= CONFIRMED else "warn"
    missing = binned.bins.index(MISSING) if MISSING in binned.bins else None
    n_reference, n_current = int(binned.reference.sum()), int(binned.current.sum())
    return {
        "feature": column.feature,
        "kind": column.kind,
        **asdict(shift),
        "verdict": verdict,
        "bins": list(binned.bins),
        "reference": [int(count) for count in binned.reference],
        "current": [int(count) for count in binned.current],
        "n_reference": n_reference,
        "n_current": n_current,
        "missing_reference": _share(binned.reference, missing),
        "missing_current": _share(binned.current, missing),
        "new_categories": len(binned.new),
        "windows_red": windows_red,
        "windows": 1 + len(earlier),
    }


def _share(counts: NDArray[np.int64], place: int | None) -> float:
    total = int(counts.sum())
    return 0.0 if place is None or not total else float(counts[place]) / total


def _whole(rows: Sequence[Mapping[str, Any]], *, total: int) -> tuple[Verdict, str]:
    """Return the worst verdict and one sentence for everyone."""
    by = {verdict: [row for row in rows if row["verdict"] == verdict] for verdict in ("fail", "warn", "unknown")}
    named = {verdict: ", ".join(row["feature"] for row in found[:3]) for verdict, found in by.items()}
    if not rows or total == 0:
        return "unknown", "No rows in these windows: drift cannot be assessed."
    if by["fail"]:
        return "fail", f"Changed, and confirmed by a second window: {named['fail']}."
    if by["warn"]:
        more = f" and {len(by['warn']) - 3} more" if len(by["warn"]) > 3 else ""
        return "warn", f"Changed in this window, not yet confirmed by a second one: {named['warn']}{more}."
    if by["unknown"]:
        return "unknown", f"Too few rows to judge: each window needs {MIN_ROWS:,}."
    return "pass", f"No drift shown in {len(rows)} features, second window against the first."


METHODS = {"numbers": "wasserstein", "categories": "jensenshannon"}
"""Pinned, so that a growing sample does not silently switch the test."""


def evidently_report(columns: Sequence[Column], cut: int) -> dict[str, bytes]:
    """Return Evidently's drift report on the same rows as HTML and JSON (evenly thinned beyond 50,000 a window)."""
    os.environ["DO_NOT_TRACK"] = "1"
    import pandas
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    frame = pandas.DataFrame({column.feature: column.plain() for column in columns})
    definition = DataDefinition(
        numerical_columns=[column.feature for column in columns if column.numbers is not None],
        categorical_columns=[column.feature for column in columns if column.numbers is None],
    )
    reference, current = (
        Dataset.from_pandas(_thinned(part).reset_index(drop=True), data_definition=definition)
        for part in (frame.iloc[:cut], frame.iloc[cut:])
    )
    preset = DataDriftPreset(num_method=METHODS["numbers"], cat_method=METHODS["categories"])
    snapshot = Report([preset], include_tests=True).run(current, reference)
    return {
        "evidently.html": snapshot.get_html_str(as_iframe=False).encode(),
        "evidently.json": snapshot.json().encode(),
    }


def _thinned(frame: Any) -> Any:
    return frame.iloc[:: max(1, -(-len(frame) // REPORT_ROWS))]
