"""Where a rollout goes next: unknown holds, shown harm goes back, green advances after its dwell."""

from dataclasses import dataclass, replace

from governance.rollouts.gates import green, judge
from storage.records.clock import SECOND
from storage.records.rollouts import Evidence, GatedPlan, GatedRollout, GateFinding, Look, Step, StepMark

STEADY = 20 * SECOND
"""How long every gate must stay green before a step: one good look is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What is to be done, why, and since when every gate has been green."""

    step: Step
    reason: str
    green_at: int | None


def move(plan: GatedPlan, findings: tuple[GateFinding, ...], *, mark: StepMark, green_at: int | None, at: int) -> Move:
    """Decide on one look.

    Harm of a gate that is not waived goes back at once: its chance of being false is bounded over all looks together,
    so waiting for a second look would only cost.
    """
    harm = next((each for each in findings if each.verdict == "fail" and not each.waived), None)
    if harm is not None:
        return Move(step="roll_back", reason=f"{harm.gate}: {harm.sentence}", green_at=None)
    if not green(findings):
        waiting = next(
            each
            for each in findings
            if not each.waived and (each.verdict == "unknown" or each.gate == "sample") and each.verdict != "pass"
        )
        more = f" About {waiting.missing:,} more decisions." if waiting.missing else ""
        return Move(step="hold", reason=f"{waiting.gate}: {waiting.sentence}{more}", green_at=None)
    since = at if green_at is None else green_at
    ahead = next((step for step in plan.steps if step > mark.percent), None)
    if ahead is None:
        return Move(step="finish", reason="every gate is green on the last step", green_at=since)
    left = max(mark.at + plan.dwell_s * SECOND, since + STEADY) - at
    if left > 0:
        return Move(step="hold", reason=f"every gate is green; the next step in {left // SECOND + 1} s", green_at=since)
    if ahead == plan.steps[-1] and plan.last_step == "ask":
        return Move(step="ask", reason=f"every gate is green; somebody lets it go to {ahead:g} %", green_at=since)
    return Move(step="advance", reason=f"every gate is green: to {ahead:g} %", green_at=since)


def look(rollout: GatedRollout, counted: Evidence, *, seq: int, at: int) -> Look:
    """Judge what was counted, and decide: the very function that a replay calls again."""
    findings = judge(rollout.plan, counted, base_rate=rollout.base_rate, ahead=rollout.ahead)
    found = move(rollout.plan, findings, mark=rollout.marks[-1], green_at=rollout.green_at, at=at)
    return Look(
        rollout_id=rollout.rollout_id,
        seq=seq,
        at=at,
        percent=rollout.percent,
        ahead=rollout.ahead,
        green_before=rollout.green_at,
        green_at=found.green_at,
        evidence=counted,
        findings=findings,
        step=found.step,
        reason=found.reason,
    )


def again(rollout: GatedRollout, kept: Look) -> Look:
    """Judge a kept look once more, from what it kept and the plan alone."""
    marks = tuple(mark for mark in rollout.marks if mark.percent <= kept.percent)
    return look(replace(rollout, marks=marks, green_at=kept.green_before), kept.evidence, seq=kept.seq, at=kept.at)
