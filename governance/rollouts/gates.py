"""What lets a step go, holds it, or takes a version back: pure functions of what was counted."""

from dataclasses import replace
from math import log

from governance.experiments.occurrences import Split, evidence, strength
from governance.experiments.sequential import FEWEST_HITS, Contrast, contrast, half_width, harm_width
from governance.rollouts.announce import LEAST, SURE, WIDTH, letting_go, level, margin, tuned
from governance.rollouts.drift import drift
from governance.rollouts.fairness import fairness
from governance.rollouts.parts import share, strata
from governance.rollouts.sample import sample
from storage.records.findings import Verdict
from storage.records.rollouts import GATES, Evidence, Figure, GatedPlan, GateFinding, StepCounts


def judge(plan: GatedPlan, counted: Evidence, *, base_rate: float, ahead: float | None) -> tuple[GateFinding, ...]:
    """Return what each gate says, the four in their order, then the sample's health.

    ``ahead`` is the next share in per cent; None where no further step is asked about.
    """
    asked = ahead or plan.steps[-1]
    findings = (
        _slo(plan, counted),
        _outcome(plan, counted, base_rate=base_rate, ahead=asked),
        drift(plan, counted),
        fairness(plan, counted, base_rate=base_rate, ahead=asked),
        sample(counted),
    )
    return tuple(_waived(finding, plan) for finding in findings)


def green(findings: tuple[GateFinding, ...]) -> bool:
    """Tell whether every gate that is waited for lets a version through."""
    return all(
        finding.waived or finding.verdict == "pass" or (finding.verdict == "warn" and finding.gate in GATES)
        for finding in findings
    )


def _waived(finding: GateFinding, plan: GatedPlan) -> GateFinding:
    return replace(finding, waived=True) if finding.gate in plan.waived else finding


def _splits(counted: Evidence, arms: str) -> list[Split]:
    return [
        Split(treated=getattr(step, arms)[0], control=getattr(step, arms)[1], share=step.share)
        for step in counted.steps
    ]


def _slo(plan: GatedPlan, counted: Evidence) -> GateFinding:
    """Harm: it fails, or is slow, for more people than the stable version, and beyond the objective."""
    here = counted.steps[-1]
    needed = log(2.0 / level(plan))
    figures: list[Figure] = []
    shown: list[str] = []
    over: list[str] = []
    for name, people, of, objective in (
        ("failed", "failing", here.failed, plan.failures),
        ("slow", "waiting", here.late, plan.slow),
    ):
        found = evidence(_splits(counted, people))
        treated, control = share(of[0], here.decisions[0]), share(of[1], here.decisions[1])
        beyond = treated is not None and treated > objective
        figures.append(
            Figure(
                name=name,
                treated=treated,
                control=control,
                limit=objective,
                strength=strength(found),
                needed=strength(needed),
            )
        )
        if beyond:
            (shown if found >= needed else over).append(_beyond(name, treated or 0.0, control, objective, plan))
    missing = _short(here)
    verdict: Verdict = "fail" if shown else "unknown" if over or missing else "pass"
    sentence = (
        f"{shown[0]}, and more often than the stable version."
        if shown
        else f"{over[0]}, and not shown to be worse than the stable version."
        if over
        else f"Only {here.decisions[0]:,} of its decisions were counted on this step."
        if missing
        else "Failures and slow answers are within the objectives."
    )
    return GateFinding(gate="slo", verdict=verdict, sentence=sentence, missing=missing, figures=tuple(figures))


def _beyond(name: str, treated: float, control: float | None, objective: float, plan: GatedPlan) -> str:
    what = "fail" if name == "failed" else f"take over {plan.slow_ms:g} ms"
    beside = "" if control is None else f", of the stable version's {control:.2%}"
    return f"{treated:.2%} of its decisions {what} (objective {objective:.2%}{beside})"


def _short(here: StepCounts) -> int | None:
    lacking = LEAST - here.decisions[0]
    return round(lacking * 100.0 / here.percent) if lacking > 0 else None


def _outcome(plan: GatedPlan, counted: Evidence, *, base_rate: float, ahead: float) -> GateFinding:
    """Harm: the rate lies below the stable version's, at all looks together. Green: the harm that the next share would
    multiply beyond the tolerance is excluded."""
    cells = strata([step.outcomes for step in counted.steps])
    asked = margin(plan, ahead)
    found = contrast(cells, spread=counted.spread)
    bound = contrast(cells, margin=asked, spread=counted.spread)
    if found is None or bound is None or found.expected < FEWEST_HITS:
        sentence = f"Too few outcomes ({plan.outcome}) to say anything."
        lacking = _until(counted.steps[-1], base_rate, found, FEWEST_HITS)
        return GateFinding(gate="outcome", verdict="unknown", sentence=sentence, missing=lacking)
    rho = tuned(plan, base_rate)
    half = harm_width(found, level=level(plan), tuned=rho)
    low, high = found.value - half, found.value + half
    excluded = asked >= 1.0 or bound.value - half_width(bound, level=letting_go(plan), tuned=rho) > 0.0
    figure = Figure(
        name=plan.outcome,
        treated=found.treated,
        control=found.control,
        low=low,
        high=high,
        limit=-asked * found.control,
    )
    verdict: Verdict = "fail" if high < 0.0 else "pass" if excluded else "unknown"
    rates = f"{found.treated:.3%} against {found.control:.3%}"
    sentence = {
        "fail": f"{plan.outcome} falls: {rates}.",
        "pass": f"No harm is shown: {rates}; so small a step could harm few."
        if asked >= 1.0
        else f"A fall of {plan.outcome} by {asked:.0%} is excluded: {rates}.",
        "unknown": f"A fall of {plan.outcome} by {asked:.0%} is not excluded yet: {rates}.",
    }[verdict]
    missing = _more(bound, counted.steps[-1], asked) if verdict == "unknown" else None
    return GateFinding(gate="outcome", verdict=verdict, sentence=sentence, missing=missing, figures=(figure,))


def _until(here: StepCounts, base_rate: float, found: Contrast | None, hits: float) -> int:
    lacking = hits - (found.expected if found else 0.0)
    return max(1, round(lacking / base_rate / (here.percent / 100.0)))


def _more(bound: Contrast, here: StepCounts, asked: float) -> int | None:
    """Return about how many more decisions on this split let a version like the stable one through."""
    part = here.percent / 100.0
    rate = bound.control
    if not 0.0 < part < 1.0 or not 0.0 < rate < 1.0:
        return None
    error = asked * rate / (WIDTH + SURE)
    lacking = 1.0 / (error * error) - bound.information
    kept = (1.0 - asked) ** 2
    variance = rate * (1.0 - rate) * (1.0 / part + kept / (1.0 - part))
    return max(1, round(lacking * variance))
