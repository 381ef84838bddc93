"""A shortened story: the product's own parts live through a few days, are interrupted, and go on."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import httpx
import pytest
from sqlmodel import col, select

from fairlead.client import own_token
from fairlead.presets import synthetic
from fairlead.presets.open_bandit import SURFACE
from fairlead.settings import Settings
from fairlead.story.begin import people_of, wanted
from fairlead.story.clock import StoryClock
from fairlead.story.engine import REPLICA
from fairlead.story.progress import Progress, give_up, keep, progress
from fairlead.story.script import AUDIENCE, GROUP, PLAN, STEPS, Days, script
from fairlead.story.tell import Teller
from fairlead.wiring import Store, control_context, control_of, open_store
from governance.api.app import create_app
from governance.checks.roster import CHECKS
from governance.patrol import Beat, look
from storage import catalogue, cells, drift, findings, ledger, receipts, rollouts, series, verdicts
from storage.records.clock import DAY, MINUTE
from storage.tables.observed import WindowRow
from tests.governance.served import serving

pytestmark = pytest.mark.timeout(900)
"""Its fixture lives through days."""
NEVER = 99.0
SHORT = Days(
    plan=0.0,
    ramp=0.1,
    reference=2.05,
    normal_days=(1.0, 2.0),
    clearance=2.1,
    newcomers=3.0,
    harm=4.1,
    no_clearance=NEVER,
    normal=NEVER,
    next_ramp=NEVER,
    last=6,
)
PER_DAY = 1_200


class Interrupted(Exception):
    """The power went out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lived:
    """An installation after its story."""

    settings: Settings
    store: Store
    ended: Progress


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    """Tell the story, cut it off within its second day, and tell the rest."""
    settings = Settings(home=tmp_path_factory.mktemp("story"))
    store = open_store(settings)
    assert wanted(store)
    synthetic.generate(store, now=store.now() - SHORT.last * DAY)

    def cut(day: int, _days: int) -> None:
        if day == 1:
            raise Interrupted

    with pytest.raises(Interrupted):
        Teller(settings, store, days=SHORT, per_day=PER_DAY).tell(cut)
    assert wanted(store)
    ended = Teller(settings, store, days=SHORT, per_day=PER_DAY).tell()
    yield Lived(settings=settings, store=store, ended=ended)
    store.database.close()


def test_it_is_told_once_and_all_of_it(lived: Lived) -> None:
    assert not wanted(lived.store)
    assert lived.ended == progress(lived.store)
    assert lived.ended.at == lived.ended.end == lived.ended.start + SHORT.last * DAY
    assert set(lived.ended.played) == {scene.name for scene in script(SHORT)}


def test_an_installation_that_was_used_gets_no_story(tmp_path_factory: pytest.TempPathFactory) -> None:
    store = open_store(Settings(home=tmp_path_factory.mktemp("used")))
    synthetic.generate(store, now=store.now())
    assert not wanted(store)
    store.database.close()


def test_an_interrupted_story_that_is_declined_ends_where_it_stopped(tmp_path_factory: pytest.TempPathFactory) -> None:
    store = open_store(Settings(home=tmp_path_factory.mktemp("declined")))
    keep(store, None, Progress(start=0, end=9, at=4, played=("one",)))
    assert wanted(store)
    give_up(store)
    assert not wanted(store)
    assert progress(store) == Progress(start=0, end=4, at=4, played=("one",))
    store.database.close()


def test_the_ledger_is_whole_and_of_those_days(lived: Lived) -> None:
    with lived.store.database.read() as read:
        found = ledger.verify(read, keys=lived.store.keys, anchors=lived.store.anchors)
        entries = ledger.entries(read, limit=1_000)
    assert (found.ok, found.reason) == (True, "whole")
    assert found.anchored_to > 0
    times = [entry.at for entry in sorted(entries, key=lambda entry: entry.seq)]
    assert times == sorted(times)
    assert lived.ended.start <= times[0] <= times[-1] <= lived.ended.end


def test_cells_are_what_the_lake_says(lived: Lived) -> None:
    store = lived.store
    with store.database.read() as read:
        counted = {
            cell.a: (cell.decisions, cell.impressions, cell.clicks)
            for cell in cells.totals(read, start=0, end=2**62, by=("campaign",))
        }
        with store.lake.connect(read) as duck:
            raw = duck.execute(
                """
                WITH told AS (
                  SELECT DISTINCT decision_id, item, type FROM events WHERE type IN ('impression', 'click')
                ), made AS (
                  SELECT campaign, decision_id FROM decisions
                )
                SELECT campaign, count(DISTINCT decision_id), count(*) FILTER (type = 'impression'),
                  count(*) FILTER (type = 'click')
                FROM made LEFT JOIN told USING (decision_id) GROUP BY campaign
                """
            ).fetchall()
    assert counted == {campaign: tuple(counts) for campaign, *counts in raw}


def test_all_of_it_is_marked_as_simulated_and_is_of_those_days(lived: Lived) -> None:
    with lived.store.database.read() as read, lived.store.lake.connect(read) as duck:
        for relation in ("decisions", "events"):
            told = f'SELECT count(*), min("at"), max("at"), list(DISTINCT origin) FROM {relation}'  # ours
            row = duck.execute(f"{told} WHERE replica = ?", [REPLICA]).fetchone()
            assert row is not None
            number, first, last, origins = row
            assert number > SHORT.last * PER_DAY * 0.8
            assert origins == ["simulated"]
            assert lived.ended.start <= first <= last <= lived.ended.end


def test_windows_follow_each_other_but_for_the_interruption(lived: Lived) -> None:
    with lived.store.database.read() as read:
        rows = read.all(
            select(WindowRow.boot_id, WindowRow.start, WindowRow.end, WindowRow.covered_us)
            .where(WindowRow.tier == "t0", WindowRow.replica == REPLICA)
            .order_by(col(WindowRow.start), col(WindowRow.seq))
        )
    assert len({boot for boot, *_ in rows}) <= 2
    for (boot, _, end, _), (following, start, *_) in pairwise(rows):
        assert start >= end
        assert start == end or boot != following
    assert all(covered == end - start for _, start, end, covered in rows)
    assert rows[-1][2] <= lived.ended.end


def test_the_ranker_goes_up_and_its_gates_take_the_harmful_version_back(lived: Lived) -> None:
    with lived.store.database.read() as read:
        found = {each.plan.version: each for each in rollouts.listed(read, policy=SURFACE)}
        entries = ledger.entries(read, limit=1_000)
    assert found[2].state == "done"
    assert found[3].state == "rolled_back"
    assert found[3].note.startswith("outcome: click falls")
    (back,) = [entry for entry in entries if entry.action == "rollout.roll_back"]
    assert back.actor == "schedule"


def test_drift_and_the_gap_are_found_by_their_jobs(lived: Lived) -> None:
    with lived.store.database.read() as read:
        looks = drift.looks(read, SURFACE, origin="simulated", family="decided", limit=50)
        audits = findings.audits(read, "fairness", limit=50)
        told = verdicts.latest(read)
    red = {row["feature"] for look in looks if look.verdict == "fail" for row in look.features if row["red"]}
    assert f"context.{AUDIENCE}" in red
    gap = [audit for audit in audits if audit.verdict == "fail"]
    assert gap
    assert GROUP in gap[0].sentence
    assert all(audit.population.get("plan", PLAN) == PLAN and audit.job_id for audit in audits)
    assert (told["drift"].verdict, told["fairness"].verdict) == ("fail", "fail")


@pytest.fixture(scope="module")
def desk(lived: Lived) -> Iterator[httpx.Client]:
    """The control API of the installation as it stands when its story ends."""
    then = replace(lived.store, now=lambda: lived.ended.end)
    context = control_context(lived.settings, then, control_of(lived.settings, then), jobs=frozenset())
    admin = {"authorization": f"Bearer {own_token(lived.settings)}"}
    with serving(create_app(context)) as url, httpx.Client(base_url=url, headers=admin, trust_env=False) as client:
        yield client


def test_each_beat_is_found_through_control(lived: Lived, desk: httpx.Client) -> None:
    def told(path: str, **asked: Any) -> Any:
        return desk.get(f"/control/v1{path}", params=asked).raise_for_status().json()

    ramps = {each["plan"]["version"]: each for each in told("/rollouts", policy=SURFACE)["rollouts"]}
    assert [mark["percent"] for mark in ramps[2]["marks"]] == list(STEPS)
    assert (ramps[2]["state"], ramps[3]["state"]) == ("done", "rolled_back")
    assert [mark["percent"] for mark in ramps[3]["marks"]] == [STEPS[0]]
    looks = told("/audits/drift/looks", surface=SURFACE, origin="simulated", limit=50)["looks"]
    assert "fail" in {look["verdict"] for look in looks}
    audits = told("/audits", kind="fairness")["audits"]
    shown = [audit for audit in audits if audit["verdict"] == "fail"]
    assert shown and len(shown) < len(audits)
    alerts = {alert["name"]: alert for alert in told("/alerts")["alerts"]}
    assert {"drift", "fairness"} <= alerts.keys()
    assert all(lived.ended.start < alert["fired_at"] <= lived.ended.end for alert in alerts.values())
    acts = {entry["action"]: entry for entry in told("/ledger", limit=500)["entries"]}
    assert {"rollout.start", "rule.create", "drift.reference", "fairness_plan.create"} <= acts.keys()
    assert acts["rollout.roll_back"]["actor"] == "schedule"


def test_its_people_stay(lived: Lived) -> None:
    with lived.store.database.read() as read:
        items = {item.item_id: item for item in catalogue.load(read).items}
    logged = people_of(lived.store, items)
    assert logged is not None
    counts: dict[str, int] = {}
    for _, context in logged.contexts:
        counts[str(context[AUDIENCE])] = counts.get(str(context[AUDIENCE]), 0) + 1
    assert max(counts.values()) > len(logged.contexts) / 2


def test_nothing_of_the_engine_is_left_behind(lived: Lived) -> None:
    assert not list((lived.settings.home / "logs").glob(f"{REPLICA}*"))
    assert not list((lived.settings.home / "windows").glob(f"{REPLICA}*"))


def test_its_engine_is_missed_by_nobody_and_timed_no_change_by_a_clock_that_stood(lived: Lived) -> None:
    store = lived.store
    beat = Beat(database=store.database, home=store.home, keys=store.keys, anchors=store.anchors)
    (collector,) = [check for check in CHECKS if check.name == "collector"]
    assert look(beat, collector, lived.ended.end + 10 * MINUTE).verdict == "unknown"
    with store.database.read() as read:
        assert receipts.propagation(read) == []
        assert not series.total(
            read, "fairlead_policy_propagation_seconds", start=lived.ended.start, end=lived.ended.end
        )


def test_its_clock_never_goes_back() -> None:
    clock = StoryClock(5)
    clock.to(9)
    clock.to(7)
    assert clock.now() == 9
