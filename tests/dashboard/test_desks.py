"""The landing page by role: its own panels first, first steps ticked by facts, what limits a campaign."""

from dataclasses import replace

import pytest

from dashboard.queries import desks
from dashboard.queries.campaign_strip import CampaignStrip
from dashboard.queries.overview import CampaignLine
from dashboard.queries.rates import rate
from storage import changes, findings
from storage.database import Database
from storage.records.campaigns import Campaign
from storage.records.changes import Change
from storage.records.clock import DAY
from storage.records.findings import Audit
from tests.dashboard.drawn import run, told
from tests.dashboard.table_control import surroundings
from tests.dashboard.week import NOW

LINE = CampaignLine(
    key="men", campaign=Campaign(key="men", name="Men", surfaces=("home",), status="running"), clicks=rate(0, 0),
    simulated=rate(0, 0), decisions=0, scorer_share=rate(0, 0), hits=rate(0, 0), last_at=0,
)  # fmt: skip
FREE = CampaignStrip(policies=("home v1",), admitted=rate(95, 100), capped=rate(1, 100), holdout=0.0, killed=False)


@pytest.mark.parametrize(
    ("role", "there", "absent"),
    [
        ("marketer", ("Campaigns",), ("Open questions", "The fleet")),
        ("data_scientist", ("Open questions", "Campaigns"), ("The fleet",)),
        ("ops", ("Error budgets", "The fleet", "Campaigns"), ("Open questions",)),
        ("admin", ("Campaigns", "Open questions", "The fleet"), ()),
    ],
)
def test_each_role_has_its_own_first(
    week: Database, role: str, there: tuple[str, ...], absent: tuple[str, ...]
) -> None:
    shown = told(run("overview", surroundings(week, role=role)))
    places = [shown.index(f"## {title}") for title in there]
    assert places == sorted(places)
    assert not any(f"## {title}" in shown for title in absent)


@pytest.mark.parametrize(
    ("strip", "line", "limits"),
    [
        (FREE, LINE, ()),
        (replace(FREE, killed=True), LINE, ("kill switch",)),
        (replace(FREE, admitted=rate(80, 100)), LINE, ("consent: 20 % said no",)),
        (replace(FREE, fallen=rate(30, 100)), LINE, ("policy: 30 % fall back",)),
        (
            FREE,
            replace(LINE, campaign=replace(LINE.campaign, starts_at=NOW + DAY, ends_at=NOW + 2 * DAY)),
            ("dates: not begun",),
        ),
        (FREE, replace(LINE, campaign=replace(LINE.campaign, ends_at=NOW)), ("dates: over",)),
        (replace(FREE, capped=rate(9, 100), policies=()), LINE, ("policy: none serves", "caps: 9.0 % held back")),
        (
            FREE,
            replace(LINE, campaign=Campaign(key="men", name="Men", surfaces=("home",), status="paused")),
            ("status: paused",),
        ),
        (None, replace(LINE, campaign=None), ()),
    ],
)
def test_what_limits_a_campaign_is_named(
    strip: CampaignStrip | None, line: CampaignLine, limits: tuple[str, ...]
) -> None:
    assert desks._limits(line, strip, now=NOW) == limits


def test_what_is_most_at_stake_comes_first_and_what_does_not_run_last() -> None:
    bought = replace(LINE, key="bought", conversions=3)
    clicked = replace(LINE, key="clicked", clicks=rate(90, 100))
    paused = replace(clicked, key="paused", campaign=replace(LINE.campaign, status="paused"), conversions=99)
    found = sorted([paused, LINE, clicked, bought], key=desks._stakes)
    assert [line.key for line in found] == ["bought", "clicked", "men", "paused"]


def test_facts_tick_the_first_steps(sqlite_database: Database) -> None:
    def done() -> desks.Steps:
        with sqlite_database.read() as read:
            return desks.steps(read)

    assert done().done == 0
    with sqlite_database.write() as write:
        change = Change(
            change_id="c",
            kind="rule.edit",
            object_key="r",
            payload={},
            state="draft",
            level="D2",
            author="a",
            reason="r",
        )
        changes.save(write, change)
    assert not done().approval
    with sqlite_database.write() as write:
        changes.save(write, replace(change, approvals=("bert",)))
        findings.save(
            write,
            Audit(
                audit_id="f",
                kind="fairness",
                job_id="1",
                at=NOW,
                verdict="unknown",
                sentence="",
                population={},
                result={},
            ),
        )
    assert (done().approval, done().audit, done().events, done().policy) == (True, True, False, False)


def test_the_list_of_first_steps_goes_once_they_are_done(blank: Database, week: Database) -> None:
    assert "First steps" in told(run("overview", surroundings(blank)))
    shown = told(run("overview", surroundings(week)))
    assert ":green[:material/check_circle:] Data" in shown
    assert "**First approval**" in shown
