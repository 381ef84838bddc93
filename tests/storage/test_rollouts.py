"""Gated rollouts and their looks, as they are kept."""

from dataclasses import replace

from storage import rollouts
from storage.database import Database
from storage.records.rollouts import Evidence, GatedPlan, GatedRollout, GateFinding, Look, StepCounts, StepMark

ROLLOUT = GatedRollout(
    rollout_id="r1",
    policy="home",
    plan=GatedPlan(version=2),
    state="running",
    author="alice",
    reason="because",
    marks=(StepMark(percent=1.0, revision=4, at=10),),
    announced=(20_000, 50_000),
    base_rate=0.05,
    rate_from="measured",
    created_at=10,
)
LOOK = Look(
    rollout_id="r1",
    seq=1,
    at=20,
    percent=1.0,
    ahead=5.0,
    green_before=None,
    green_at=20,
    evidence=Evidence(steps=(StepCounts(percent=1.0, share=0.01, groups={"sex=f": (3, 1, 4, 1)}),), spread=1.5),
    findings=(GateFinding(gate="slo", verdict="pass", sentence="well"),),
    step="hold",
    reason="the next step in 10 s",
)


def test_a_rollout_is_kept_found_and_over(database: Database) -> None:
    with database.write() as write:
        rollouts.save(write, ROLLOUT)
        rollouts.save(write, replace(ROLLOUT, rollout_id="r0", state="done", created_at=5))
    with database.read() as read:
        assert rollouts.find(read, "r1") == ROLLOUT
        assert rollouts.current(read, "home") == ROLLOUT
        assert [one.rollout_id for one in rollouts.listed(read)] == ["r1", "r0"]
        assert rollouts.listed(read, policy="cart") == []
        assert rollouts.find(read, "none") is None
    before = rollouts.etag(ROLLOUT)
    with database.write() as write:
        rollouts.save(write, replace(ROLLOUT, state="rolled_back"))
    with database.read() as read:
        assert rollouts.current(read, "home") is None
        again = rollouts.find(read, "r1")
    assert again is not None and rollouts.etag(again) != before


def test_looks_are_numbered_and_read_back_whole(database: Database) -> None:
    with database.write() as write:
        assert rollouts.next_seq(write, "r1") == 1
        rollouts.keep(write, LOOK)
        assert rollouts.next_seq(write, "r1") == 2
        rollouts.keep(write, replace(LOOK, seq=2, at=30))
    with database.read() as read:
        assert rollouts.look(read, "r1", 1) == LOOK
        assert [one.seq for one in rollouts.looks(read, "r1")] == [2, 1]
        assert [one.seq for one in rollouts.looks(read, "r1", before=2)] == [1]
        assert rollouts.look(read, "r1", 9) is None
