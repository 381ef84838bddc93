"""Rollouts: which version of a policy decides for whom."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from scoring_core.experiments.hashing import bucket
from storage.records.policies import PolicyState, Rollout, ScorerChoice
from tests.scoring_core.world import decided, request, trusting, world


def rolled(percent: float, **changes: Any) -> Any:
    rollout = Rollout(version=2, percent=percent, seed="ramp-1", **changes)
    versions = {1: trusting(), 2: replace(trusting(), scorer=ScorerChoice(name="popular"))}
    state = PolicyState(key="home", surface="home", stable=1, rollout=rollout, versions=versions)
    return world(policies={"home": state})


@given(st.text(min_size=1, max_size=20), st.sampled_from([0.0, 1.0, 5.0, 25.0, 50.0, 100.0]))
def test_the_bucket_decides_the_version(subject: str, percent: float) -> None:
    record = decided(ROLLED[percent], request(subject=subject))
    point = bucket("ramp-1", subject)
    assert record.bucket == point
    assert point is not None
    assert record.version == (2 if point < percent / 100 else 1)


ROLLED = {percent: rolled(percent) for percent in (0.0, 1.0, 5.0, 25.0, 50.0, 100.0)}


def test_a_rollout_for_a_segment_leaves_the_others_alone() -> None:
    live = rolled(100.0, segment={"mood": "wild"})
    assert decided(live).version == 1
    assert decided(live, request(context={"mood": "wild"})).version == 2


def test_a_first_version_on_its_way_leaves_the_others_with_the_default() -> None:
    state = PolicyState(
        key="home",
        surface="home",
        rollout=Rollout(version=1, percent=0.0, seed="s"),
        versions={1: trusting()},
    )
    record = decided(world(policies={"home": state}))
    assert (record.served_by, record.reason) == ("default", "no_policy")
