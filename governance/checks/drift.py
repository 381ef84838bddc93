"""The drift audit: what was asked, predicted, shown and clicked in one window against a later one."""

from collections.abc import Mapping, Sequence
from dataclasses import field
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from governance.checks.artifacts import keep
from governance.checks.columns import Column, Rows, load_shown
from governance.checks.decided import load_decided
from governance.checks.drift_verdicts import WINDOWS, feature_rows, red_share, whole
from governance.checks.evidently_report import METHODS, REPORT_ROWS, evidently_report
from governance.checks.importance import importance_of
from governance.checks.judged import measure_all
from governance.checks.shift import FAMILY_LEVEL, MIN_ROWS
from scoring_core.learning.outcomes import parameters
from storage import drift, findings
from storage.database import Database, Read
from storage.errors import Invalid, Problem
from storage.lake import Lake
from storage.records.document import canonical, document, parse
from storage.records.drift import Acceptance
from storage.records.findings import Audit

OUTCOME = "rate"
"""How outcomes are measured: they are too rare for PSI."""


@document
class DriftArguments:
    """What an audit compares: rows in [start, split) against [split, end), microseconds UTC; without them the span of
    the data, halved. ``methods`` pins a measure by feature, or by kind (``number``, ``category``); ``report`` asks for
    Evidently's report besides."""

    surface: str | None = None
    campaign: str | None = None
    policy: str | None = None
    start: int | None = None
    split: int | None = None
    end: int | None = None
    origins: tuple[str, ...] = ("imported",)
    outcome: str = "click"
    features: tuple[str, ...] = ()
    methods: Mapping[str, str] = field(default_factory=dict)
    report: bool = True


def run_drift(
    database: Database, lake: Lake, *, job_id: str, arguments: Mapping[str, Any], now: int, home: Path
) -> Audit:
    """Run the audit, store it (``findings.save``) and return it; ``audit_id`` is ``drift-{job_id}``.

    A feature *fails* if both lights are on in this and in at least one of the two windows audited before; on in this
    window alone it *warns*, since one window in three may be chance. Features of decisions are read of every decision,
    those of what was seen of impressions whose outcome is known.

    Raises
    ------
    Invalid
        If an argument is unknown or of the wrong type.
    """
    asked = parse(DriftArguments, arguments)
    families = _load(database, lake, asked, now=now)
    start, split, end = _bounds(asked, families)
    families = [rows.inside(start, end) for rows in families]
    cuts = [int(np.searchsorted(rows.at, split)) for rows in families]
    columns = _chosen(
        [(column, cut) for rows, cut in zip(families, cuts, strict=True) for column in rows.columns], asked.features
    )
    sizes = {"rows": [cuts[1], len(families[1].at) - cuts[1]], "decisions": [cuts[0], len(families[0].at) - cuts[0]]}
    population = {
        **{name: getattr(asked, name) for name in ("surface", "campaign", "policy")},
        "origins": list(asked.origins),
        "reference": {"start": start, "end": split, **{name: size[0] for name, size in sizes.items()}},
        "current": {"start": split, "end": end, **{name: size[1] for name, size in sizes.items()}},
    }
    with database.read() as read:
        earlier = _earlier(read, population)
        accepted = _accepted(read, asked.surface, now)
        importance = importance_of(read, home)
    pinned = {column.feature: OUTCOME for column, _ in columns if column.kind == "outcome"} | dict(asked.methods)
    rows = feature_rows(
        measure_all((column.compared(cut) for column, cut in columns), pinned) if any(chain(*sizes.values())) else [],
        kinds={column.feature: column.kind for column, _ in columns},
        earlier=earlier,
        accepted=accepted,
        importance=importance,
    )
    audit_id = f"drift-{job_id}"
    verdict, sentence = whole(rows, against="the one before")
    wanted = asked.report and all(min(size) for size in sizes.values())
    files = evidently_report(columns) if wanted else {}
    result = {
        "features": rows,
        "red_share_by_importance": red_share(rows),
        "family": {"features": len(rows), "method": "Benjamini–Hochberg", "level": FAMILY_LEVEL},
        "minimum_rows": MIN_ROWS,
        "report": {"rows_per_window": min(REPORT_ROWS, *sizes["rows"]), "methods": METHODS} if files else None,
        "versions": {name: version(name) for name in ("fairlead", "evidently")},
    }
    audit = Audit(
        audit_id=audit_id,
        kind="drift",
        job_id=job_id,
        at=now,
        verdict=verdict,
        sentence=sentence,
        population=population,
        result=result,
        artifacts=keep(home, audit_id, {"drift.json": canonical(result), **files}) if rows else {},
    )
    with database.write() as write:
        findings.save(write, audit)
    return audit


def _load(database: Database, lake: Lake, asked: DriftArguments, *, now: int) -> list[Rows]:
    """Return the features of decisions, then those of impressions."""
    named = {"campaign": asked.campaign, "policy": asked.policy}
    told = ("start", "end", "campaign", "policy", "outcome")
    bounds: dict[str, Any] = {name: value for name in told if (value := getattr(asked, name)) is not None}
    bound = parameters(now=now, origins=asked.origins, **bounds)
    return [
        load_decided(
            database, lake, start=asked.start, end=asked.end, origins=asked.origins, surface=asked.surface, **named
        ),
        load_shown(database, lake, bound=bound, surface=asked.surface),
    ]


def _chosen(columns: Sequence[tuple[Column, int]], features: Sequence[str]) -> list[tuple[Column, int]]:
    known = {column.feature for column, _ in columns}
    if columns and not known.issuperset(features):
        problem = Problem(field="features", message=f"no such feature; there are {', '.join(sorted(known))}")
        raise Invalid("features: at least one of the names is none that these rows have", problems=(problem,))
    return [(column, cut) for column, cut in columns if not features or column.feature in features]


def _bounds(asked: DriftArguments, families: Sequence[Rows]) -> tuple[int, int, int]:
    """Return the windows: as asked for, else over the impressions' time, else over the decisions'."""
    at = next((rows.at for rows in reversed(families) if len(rows.at)), families[0].at)
    start = asked.start if asked.start is not None else int(at[0]) if len(at) else 0
    end = asked.end if asked.end is not None else int(at[-1]) + 1 if len(at) else start + 1
    split = asked.split if asked.split is not None else start + (end - start) // 2
    if not start <= split <= end:
        raise Invalid("split: must lie between start and end")
    return start, split, end


def _accepted(read: Read, surface: str | None, now: int) -> Mapping[str, Acceptance]:
    """Return what was accepted of a surface against its present reference."""
    if surface is None:
        return {}
    reference = drift.reference(read, surface)
    return drift.in_force(drift.accepted(read, surface), reference=reference.version if reference else None, now=now)


def _earlier(read: Read, population: Mapping[str, Any]) -> list[set[str]]:
    """Return the features that were red in each of the two other windows of this population audited last."""
    same = ("surface", "campaign", "policy", "origins")
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
