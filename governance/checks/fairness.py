"""The fairness audit: exposure, clicks, benefit and the ranker's work by group of people and of items."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pyarrow as pa

from governance.checks import trend
from governance.checks.artifacts import keep
from governance.checks.comparison import VERDICTS, Compared, Terms, compare, plain, worst
from governance.checks.controls import by_control
from governance.checks.disparity import DETECT, SCREEN
from governance.checks.measures import MEASURES, measured
from governance.checks.points import points
from governance.checks.population import Grouping, Measure, counted, pairs
from governance.checks.providers import providers, shelf
from governance.checks.shown import Impressions, impressions
from governance.fairness_plans import problems
from storage import campaigns, findings, profiles, sensitive
from storage.database import Database, Read
from storage.errors import Invalid
from storage.lake import Lake
from storage.records.clock import DAY
from storage.records.document import canonical, parse
from storage.records.fairness import ITEM, SENSITIVE, FairnessArguments
from storage.records.findings import Audit, Verdict

NO_ATTRIBUTE = "No sensitive attribute available: fairness cannot be assessed."


def run_fairness(
    database: Database, lake: Lake, *, job_id: str, arguments: Mapping[str, Any], now: int, home: Path
) -> Audit:
    """Run the audit, store it (``findings.save``) and return it; ``audit_id`` is ``fairness-{job_id}``.

    Raises
    ------
    Invalid
        If an argument is unknown or makes no sense.
    """
    asked = parse(FairnessArguments, arguments)
    wrong = problems(asked)
    if wrong:
        raise Invalid(f"{wrong[0].field}: {wrong[0].message}", problems=wrong)
    with database.read() as read:
        shown = _shown(read, lake, asked, now)
        groupings = [_grouping(read, shown, name) for name in asked.attributes]
        shelves = [
            shelf(shown, each, providers(read, each.name.removeprefix(ITEM)))
            for each in groupings
            if each.name.startswith(ITEM) and each.names
        ]
    result = {**_result(shown, groupings, asked, seed=crc32(job_id.encode())), "providers": shelves}
    verdict, sentence = _whole(result)
    audit_id = f"fairness-{job_id}"
    audit = Audit(
        audit_id=audit_id,
        kind="fairness",
        job_id=job_id,
        at=now,
        verdict=verdict,
        sentence=sentence,
        population={
            **asdict(asked),
            "rows": shown.rows,
            "unit": "impression",
            "note": "Impressions of one person, or of one item, count as fewer the more alike they are; where people "
            "are unknown each is taken as independent.",
        },
        result=result,
        artifacts=keep(home, audit_id, {"fairness.json": canonical(result)}),
    )
    with database.write() as write:
        findings.save(write, audit)
    return audit


def _shown(read: Read, lake: Lake, asked: FairnessArguments, now: int) -> Impressions:
    bounds = {
        name: value
        for name in ("start", "end", "campaign", "policy", "outcome")
        if (value := getattr(asked, name)) is not None
    }
    if asked.days is not None:
        bounds["start"] = now - asked.days * DAY
    goals = {each.campaign.key: each.campaign.goal for each in campaigns.listed(read)}
    wanted = asked.attributes if asked.control is None else (*asked.attributes, asked.control)
    return impressions(
        lake,
        read,
        now=now,
        origins=asked.origins,
        bounds=bounds,
        goals={key: goal for key, goal in goals.items() if goal and goal != asked.outcome},
        attributes=wanted,
    )


def _grouping(read: Read, shown: Impressions, name: str) -> Grouping:
    """Return who is who; on the item's side rows belong to items, else to people."""
    if name.startswith(ITEM):
        told = _told(shown, "item", providers(read, name.removeprefix(ITEM)))
        return shown.named(name, told, owners="item")
    if name.startswith(SENSITIVE):
        told = _told(shown, "subject", _said(read, name.removeprefix(SENSITIVE)))
        return shown.named(name, told, owners="subject")
    return shown.named(name, shown.columns[name], owners="subject")


def _said(read: Read, attribute: str) -> Mapping[str, str]:
    """Return what people say; a visitor who turned out to be somebody says what they say."""
    said = sensitive.values(read, attribute)
    merged = profiles.accounts(read).items()
    return {**{visitor: said[account] for visitor, account in merged if account in said}, **said}


def _told(shown: Impressions, column: str, values: Mapping[str, str]) -> pa.ChunkedArray:
    keys = shown.columns[column].combine_chunks().dictionary_encode()
    names = pa.array([values.get(key) for key in keys.dictionary.to_pylist()], pa.string())
    return pa.chunked_array([names.take(keys.indices)])


def _result(shown: Impressions, single: Sequence[Grouping], asked: FairnessArguments, *, seed: int) -> dict[str, Any]:
    measures, left_out = measured(shown, asked.metrics or tuple(MEASURES))
    sides = [[each for each in single if each.by[0].startswith(ITEM) == item] for item in (False, True)]
    crossed = [each for side in sides for each in pairs(side)] if asked.intersections else []
    there = [each for each in single if each.names]
    terms = Terms(
        rng=np.random.Generator(np.random.PCG64(seed)),
        family=max(1, len(measures) * (len(there) + len(crossed))),
        min_group=asked.min_group,
        unit="impressions",
    )
    over = trend.periods(shown.at)
    control = None if asked.control is None else shown.named(asked.control, shown.columns[asked.control])
    versions = shown.groups("served")

    def told(groups: Grouping) -> dict[str, Any]:
        known = int((groups.codes >= 0).sum())
        return {
            "attribute": groups.name,
            "by": list(groups.by),
            "side": "item" if groups.by[0].startswith(ITEM) else "person",
            "known": known,
            "unknown": shown.rows - known,
            "levels": [list(each) for each in groups.levels],
            "metrics": [_metric(groups, each, terms, control, over) for each in measures] if groups.names else [],
        }

    return {
        "attributes": [told(each) for each in single],
        "intersections": [told(each) for each in crossed],
        "left_out": left_out,
        "control": asked.control,
        "period": over.unit,
        "flips": trend.flips(shown.at, versions.names, versions.codes),
        "screen": SCREEN,
        "detect": DETECT,
        "family": terms.family,
        "versions": {name: version(name) for name in ("fairlead", "fairlearn")},
    }


def _metric(
    groups: Grouping, measure: Measure, terms: Terms, control: Grouping | None, over: trend.Periods
) -> dict[str, Any]:
    compared: Compared = compare(groups, measure, terms, strata=None if control is None else control.codes)
    alike = np.array([each.alike for each in compared.found.groups])
    bare = Measure(name=measure.name, words=measure.words, outcomes=measure.outcomes, values=measure.values)
    found = plain(compared, points(groups.names, counted(groups, bare), measure.values))
    if len(groups.by) == 1:
        found["trend"] = trend.trend(groups, measure, over, min_group=terms.min_group, alike=alike)
    if control is not None:
        found["by_control"] = by_control(groups, bare, control)
    return found


def _public(metric: Mapping[str, Any], attribute: str) -> str:
    """Return what everyone may read of a comparison: of a sensitive attribute no group is named."""
    if SENSITIVE not in attribute:
        return str(metric["sentence"])
    about = f"{metric['words']} by {attribute}"
    return f"Disparity shown in {about}." if metric["outcome"] == "shown" else f"Inconclusive for {about}."


def _whole(result: Mapping[str, Any]) -> tuple[Verdict, str]:
    """Return the audit's verdict: shown if any comparison is, not shown only if all are."""
    parts = [*result["attributes"], *result["intersections"]]
    metrics = [metric for each in parts for metric in each["metrics"]]
    if not metrics:
        return "unknown", NO_ATTRIBUTE
    outcome = worst([metric["outcome"] for metric in metrics])
    silent = [each["attribute"] for each in result["attributes"] if not each["metrics"]]
    if outcome == "not_shown":
        if silent:
            return "unknown", f"Nobody's group is known by {', '.join(silent)}: fairness cannot be assessed there."
        return VERDICTS[outcome], "No disparity shown."
    said = [
        _public(metric, each["attribute"])
        for each in parts
        for metric in each["metrics"]
        if metric["outcome"] == outcome
    ]
    more = f" And {len(said) - 3} comparisons more." if len(said) > 3 else ""
    return VERDICTS[outcome], " ".join(said[:3]) + more
