"""Every reading of every page beside the test that recomputes its figures: a reading that is new here stands out."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DRAWN = ("dashboard/pages", "dashboard/panels")
HERE = "tests/e2e/"

RECOMPUTED: Mapping[str, tuple[str, ...]] = {
    "buckets.buckets": ("test_figures_live::test_how_long_decisions_took_by_bucket",),
    "campaign_strip.strip": (
        "test_figures_counted::test_eligible_after_consent_and_the_holdout",
        "test_figures_counted::test_what_caps_held_back",
    ),
    "caps.effects": ("test_figures_counted::test_what_caps_held_back",),
    "cell_trend.days": ("test_figures_counted::test_the_days_of_a_cell",),
    "cell_trend.top_items": ("test_figures_counted::test_the_items_shown_most_in_a_cell",),
    "consent.state": (
        "test_figures_live::test_what_people_said_last_is_what_the_record_says",
        "test_figures_live::test_consent_checks_that_refused",
        "test_figures_live::test_consent_checks_that_agreed",
        "test_figures_live::test_no_violation_and_how_fast_consent_holds",
        "test_figures_counted::test_opt_outs_of_the_last_day",
    ),
    "contrast.compare": ("test_figures_live::test_what_changed_most",),
    "desks.campaigns": ("test_figures_counted::test_the_marketers_table", "test_figures::test_overview_lines"),
    "experiments.readouts": (
        "test_figures_counted::test_the_arms_of_a_rollout",
        "test_figures_counted::test_the_arms_of_the_imported_log_are_those_of_its_files",
    ),
    "findings.audits": ("test_figures_counted::test_the_groups_of_a_fairness_audit",),
    "heatmaps.attributes": ("test_figures::test_segments_by_campaigns",),
    "heatmaps.by_hour": ("test_figures::test_hours_by_weekdays_in_tokyo",),
    "heatmaps.by_position_item": ("test_figures::test_positions_by_items",),
    "heatmaps.by_segment": ("test_figures::test_segments_by_campaigns",),
    "heatmaps.whole": ("test_figures_counted::test_events_that_came_too_late",),
    "insights.beside": ("test_figures_counted::test_own_figures_beside_an_industry",),
    "insights.insights": ("test_figures_counted::test_who_came_back",),
    "live.caches": ("test_figures_live::test_shares_now_and_before",),
    "live.confidence": ("test_figures_live::test_confidence_is_that_of_the_journal",),
    "live.outcomes": ("test_figures_live::test_decisions_by_what_served_them",),
    "live.pulse": (
        "test_figures_live::test_decisions_a_second_are_those_of_the_journal",
        "test_figures_live::test_shares_now_and_before",
        "test_figures_live::test_latency_follows_from_the_buckets_of_metrics",
        "test_figures_live::test_latency_over_time_follows_from_the_windows",
    ),
    "live.stages": ("test_figures_live::test_where_the_time_goes",),
    "overview.by_origin": ("test_figures::test_impressions_by_origin_and_over_time",),
    "overview.campaign_lines": ("test_figures::test_overview_lines", "test_figures::test_hit_rate_on_overview"),
    "overview.liveness": ("test_figures_live::test_the_rollout_on_the_page_is_the_one_that_people_got",),
    "overview.over_time": ("test_figures::test_impressions_by_origin_and_over_time",),
}
"""A reading, and the tests that recompute its figures with DuckDB from the raw rows of a running copy."""

ELSEWHERE: Mapping[str, str] = {
    "alerts.budgets": "tests/governance/alerts/test_burn.py",
    "alerts.burned_down": "tests/dashboard/test_alerts_page.py",
    "audience.sizes": "tests/governance/test_segmentation.py",
    "audience.state": "tests/governance/test_segmentation.py",
    "caps.exposures": "tests/scoring_core/test_rerank.py",
    "divided.divided": "tests/dashboard/test_alerts_page.py",
    "drift.watch": "tests/governance/checks/test_drift_watch.py",
    "models.models": "tests/scoring_core/learning/test_evaluate.py",
    "rehearsals.tried": "tests/governance/test_whatif.py",
    "suggestions.seen": "tests/laws/test_suggestions.py",
}
"""A reading whose figures rest on more than a count; they are held against worked examples, truths that were planted
or other implementations in the test named, not against the rows of a copy."""

WORDS: Mapping[str, str] = {
    "alerts.awaiting": "how many alerts wait",
    "alerts.board": "alerts as they stand",
    "alerts.one": "an alert as it stands",
    "campaign_strip.over_nothing": "the lift that the newest readout of experiments holds",
    "checks.lines": "the verdicts of checks, in words",
    "coincidences.active": "names of versions",
    "coincidences.around": "instants and names",
    "completeness.by_hour": "hours in which nobody observed an engine",
    "consent.files": "jobs as they stand",
    "consent.probe": "the answers of the probe, listed",
    "deciders.deciders": "versions and shares as they are set",
    "deciders.models": "names of models",
    "desks.fleet": "tasks and flips, listed",
    "desks.questions": "verdicts and changes, listed",
    "desks.steps": "whether each was done",
    "drift.surfaces": "names of surfaces",
    "fairness.choices": "names of attributes",
    "fairness.kept_apart": "people by what they said, listed",
    "fairness.plans": "plans as they are set",
    "findings.recent_jobs": "jobs as they stand",
    "fleet.asked": "the collector's latest attempts",
    "fleet.known": "replicas as they report",
    "heatmaps.emptiness": "why nothing was shown",
    "live.gaps": "instants",
    "marks.marks": "instants and names",
    "models.retrainings": "jobs as they stand",
    "overview.snapshot": "what is in force",
    "rules.vocabulary": "names of attributes",
    "sources.sources": "names of shelves",
    "system.state": "the machinery as it reports",
    "upkeep.collected": "stretches that were and were not collected",
    "upkeep.holdings_of": "what is kept, as it was last measured",
    "upkeep.letters": "dead letters, listed",
}
"""A reading that lists what stands written, and computes no figure."""


def readings(path: Path) -> Iterator[str]:
    """Yield the queries that a file has read for it, each as ``module.function``."""
    tree = ast.parse(path.read_text("utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    named = {one.asname or one.name: f"{node.module}.{one.name}" for node in imports for one in node.names}
    for node in ast.walk(tree):
        asks = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) > 1
        if asks and named.get(node.func.id, "").startswith("dashboard.cached."):
            query = ast.unparse(node.args[1])
            first, _, rest = query.partition(".")
            whole = ".".join(part for part in (named.get(first, first), rest) if part)
            yield whole.removeprefix("dashboard.queries.")


def drawn() -> set[str]:
    return {one for folder in DRAWN for path in (ROOT / folder).glob("*.py") for one in readings(path)}


def test_every_reading_of_a_page_is_listed_once() -> None:
    tables = (RECOMPUTED, ELSEWHERE, WORDS)
    listed = {name for table in tables for name in table}
    assert drawn() - listed == set(), "a reading is new: recompute its figures, and list it here"
    assert sum(len(table) for table in tables) == len(listed)


@pytest.mark.parametrize("name", sorted({test for tests in RECOMPUTED.values() for test in tests}))
def test_a_test_that_is_listed_exists_and_asks_the_raw_rows(name: str) -> None:
    file, _, test = name.partition("::")
    tree = ast.parse((ROOT / HERE / f"{file}.py").read_text("utf-8"))
    found = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    arguments = {one.arg for one in found[test].args.args}
    assert "lived" in arguments


@pytest.mark.parametrize("path", sorted(set(ELSEWHERE.values())))
def test_where_a_figure_is_tested_elsewhere_there_are_tests(path: str) -> None:
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    assert any(isinstance(node, ast.FunctionDef) and node.name.startswith("test_") for node in tree.body)
