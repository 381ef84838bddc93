"""What the gates say of counts, and where that leads."""

from dataclasses import replace
from typing import Any, get_args

from hypothesis import given
from hypothesis import strategies as st

from governance.rollouts.announce import announce
from governance.rollouts.gates import green, judge
from governance.rollouts.ramp import STEADY, again, look, move
from storage.records.clock import SECOND
from storage.records.document import canonical, parse
from storage.records.findings import Verdict
from storage.records.rollouts import GATES, Evidence, GatedPlan, GatedRollout, GateFinding, Look, StepCounts, StepMark

PLAN = GatedPlan(version=2, dwell_s=60)
MARK = StepMark(percent=10.0, revision=5, at=0)


def step(**more: Any) -> StepCounts:
    """A step at 10 % (5 % before it) on which all is well."""
    return StepCounts(
        **{
            "percent": 10.0,
            "share": 5.0 / 95.0,
            "decisions": (20_000, 180_000),
            "failed": (20, 180),
            "late": (200, 1_800),
            "outcomes": (20_000, 1_000, 180_000, 9_000),
            "people": (5_000, 90_000),
            "failing": (10, 180),
            "waiting": (100, 1_800),
            "features": {"country": {"de": (2_500, 45_000), "fr": (2_500, 45_000)}},
            "groups": {
                "sex=f": (10_000, 500, 90_000, 4_500),
                "sex=m": (10_000, 500, 90_000, 4_500),
            },
            **more,
        }
    )


def said(counts: StepCounts, ahead: float = 25.0, plan: GatedPlan = PLAN) -> dict[str, GateFinding]:
    return {finding.gate: finding for finding in judge(plan, Evidence(steps=(counts,)), base_rate=0.05, ahead=ahead)}


def test_where_all_is_well_every_gate_lets_go() -> None:
    assert {finding.verdict for finding in said(step()).values()} == {"pass"}


def test_failures_of_the_treated_alone_are_harm() -> None:
    found = said(step(failed=(4_000, 180), failing=(1_000, 180)))["slo"]
    assert found.verdict == "fail"
    assert "fail" in found.sentence


def test_failures_of_both_hold_and_harm_nobody() -> None:
    found = said(step(failed=(4_000, 36_000), failing=(1_000, 18_000)))["slo"]
    assert (found.verdict, found.missing) == ("unknown", None)


def test_slow_answers_beyond_the_objective_are_harm_and_within_it_are_not() -> None:
    assert said(step(late=(6_000, 1_800), waiting=(1_500, 1_800)))["slo"].verdict == "fail"
    assert said(step(late=(900, 1_800), waiting=(225, 1_800)))["slo"].verdict == "pass"


def test_a_fall_of_the_outcome_is_harm_and_one_not_excluded_holds() -> None:
    assert said(step(outcomes=(20_000, 700, 180_000, 9_000)))["outcome"].verdict == "fail"
    held = said(step(outcomes=(2_000, 95, 18_000, 900)))["outcome"]
    assert held.verdict == "unknown"
    assert held.missing is not None and held.missing > 0
    assert said(step(outcomes=(20, 1, 180, 9)))["outcome"].sentence.startswith("Too few")


def test_the_wider_the_next_step_the_smaller_the_harm_that_is_excluded() -> None:
    counts = step(outcomes=(20_000, 1_000, 180_000, 9_000))
    assert said(counts, ahead=25.0)["outcome"].verdict == "pass"
    assert said(counts, ahead=100.0)["outcome"].verdict == "unknown"


def test_another_mix_is_harm_a_small_difference_is_told() -> None:
    other = {"country": {"de": (4_500, 45_000), "fr": (500, 45_000)}}
    slight = {"country": {"de": (2_800, 45_000), "fr": (2_200, 45_000)}}
    assert said(step(features=other))["drift"].verdict == "fail"
    assert said(step(features=slight))["drift"].verdict == "warn"
    assert said(step(features={}))["drift"].verdict == "unknown"


def test_a_group_that_falls_below_four_fifths_is_harm() -> None:
    groups = {"sex=f": (10_000, 250, 90_000, 4_500), "sex=m": (10_000, 500, 90_000, 4_500)}
    found = said(step(groups=groups))["fairness"]
    assert (found.verdict, "sex=f" in found.sentence, "sex=m" in found.sentence) == ("fail", True, False)


def test_a_disparity_that_was_there_before_is_not_the_versions() -> None:
    groups = {"sex=f": (10_000, 250, 90_000, 2_250), "sex=m": (10_000, 500, 90_000, 4_500)}
    assert said(step(groups=groups))["fairness"].verdict == "pass"


def test_without_a_group_fairness_is_unknown_and_holds_unless_waived() -> None:
    found = judge(PLAN, Evidence(steps=(step(groups={}),)), base_rate=0.05, ahead=25.0)
    assert not green(found)
    waived = replace(PLAN, waived=("fairness",))
    assert green(judge(waived, Evidence(steps=(step(groups={}),)), base_rate=0.05, ahead=25.0))


def test_a_wrong_split_and_crossers_hold() -> None:
    assert said(step(people=(3_000, 92_000)))["sample"].verdict == "warn"
    assert said(step(crossed=2_000))["sample"].verdict == "warn"
    held = judge(PLAN, Evidence(steps=(step(crossed=2_000),)), base_rate=0.05, ahead=25.0)
    assert not green(held)


def finding(gate: Any, verdict: Verdict, *, waived: bool = False) -> GateFinding:
    return GateFinding(gate=gate, verdict=verdict, sentence="said", waived=waived)


verdicts = st.sampled_from(get_args(Verdict))
sets = st.tuples(
    *(st.builds(lambda v, w, gate=gate: finding(gate, v, waived=w), verdicts, st.booleans()) for gate in GATES),
    st.builds(lambda v: finding("sample", v), st.sampled_from(("pass", "warn", "unknown"))),
)


@given(sets, st.integers(0, 10**10), st.none() | st.integers(0, 10**10))
def test_unknown_never_advances_harm_always_goes_back(
    found: tuple[GateFinding, ...], at: int, green_at: int | None
) -> None:
    done = move(PLAN, found, mark=MARK, green_at=green_at, at=at)
    gates = [each for each in found if each.gate != "sample" and not each.waived]
    if any(each.verdict == "fail" for each in gates):
        assert done.step == "roll_back"
    elif any(each.verdict == "unknown" for each in gates) or found[-1].verdict != "pass":
        assert (done.step, done.green_at) == ("hold", None)
    else:
        assert done.step in {"hold", "advance"}
        if done.step == "advance":
            assert at >= MARK.at + PLAN.dwell_s * SECOND
            assert green_at is not None and at - green_at >= STEADY


def test_the_last_step_may_ask_and_a_short_plan_finishes() -> None:
    good = tuple(finding(gate, "pass") for gate in (*GATES, "sample"))
    later = 10**9
    mark = replace(MARK, percent=50.0)
    asks = replace(PLAN, last_step="ask")
    assert move(asks, good, mark=mark, green_at=0, at=later).step == "ask"
    assert move(asks, good, mark=MARK, green_at=0, at=later).step == "advance"
    short = replace(PLAN, steps=(1.0, 10.0))
    assert move(short, good, mark=MARK, green_at=0, at=later).step == "finish"


def rollout(**more: Any) -> GatedRollout:
    return GatedRollout(
        **{
            "rollout_id": "r",
            "policy": "home",
            "plan": PLAN,
            "state": "running",
            "author": "alice",
            "reason": "",
            "marks": (replace(MARK, percent=5.0), MARK),
            "announced": announce(PLAN, 0.05),
            "base_rate": 0.05,
            "rate_from": "plan",
            **more,
        }
    )


@given(st.integers(0, 20_000), st.integers(0, 5_000), st.integers(0, 5_000))
def test_a_kept_look_is_judged_again_to_the_byte(hits: int, failing: int, crossed: int) -> None:
    counts = step(outcomes=(20_000, hits, 180_000, 9_000), failing=(failing, 180), crossed=crossed)
    known = rollout(green_at=7)
    kept = parse(Look, canonical(look(known, Evidence(steps=(counts,), spread=1.3), seq=4, at=10**9)))
    later = replace(known, marks=(*known.marks, replace(MARK, percent=25.0, at=10**9)), green_at=None)
    assert canonical(again(later, kept)) == canonical(kept)


def test_a_changed_input_is_judged_otherwise() -> None:
    kept = look(rollout(), Evidence(steps=(step(),)), seq=1, at=10**9)
    changed = replace(kept, evidence=Evidence(steps=(step(outcomes=(20_000, 1_001, 180_000, 9_000)),)))
    assert canonical(again(rollout(), changed)) != canonical(kept)
