"""The readout of experiments: what chance has drawn between arms, and what came of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

from governance.checks.artifacts import keep
from governance.experiments.reading import MIN_DAYS, MIN_HITS, readouts
from governance.experiments.readout import Readout
from governance.installation import installation
from scoring_core.rules import NO_ARM
from scoring_core.scorers.choice import SAMPLING
from storage import arm_outcomes, campaigns, findings, rules
from storage.arm_outcomes import HOLDOUT, RULE, ArmOutcomes
from storage.database import Database, Read
from storage.lake import Lake
from storage.records.clock import DAY
from storage.records.document import canonical, document, dump, parse
from storage.records.findings import Audit, Verdict
from storage.records.rules import Rule

KIND = "experiments"
GRAVEST: tuple[Verdict, ...] = ("fail", "warn", "pass", "unknown")


@document
class ExperimentsArguments:
    """What a readout looks at: the last so many ``days`` of decisions (imported ones of whatever time), and before how
    many days and clicks in the smallest arm it hides results."""

    days: int = Field(default=28, ge=1, le=365)
    min_days: int = Field(default=MIN_DAYS, ge=1, le=90)
    min_hits: int = Field(default=MIN_HITS, ge=20, le=100_000)


def run_experiments(
    database: Database, lake: Lake, *, job_id: str, arguments: Mapping[str, Any], now: int, home: Path
) -> Audit:
    """Read every experiment out, store it (``findings.save``) and return it; ``audit_id`` is ``experiments-{job_id}``.

    A rule that changed within the days is read from then on: before, its arms were others.

    Raises
    ------
    Invalid
        If an argument is unknown or of the wrong type.
    """
    asked = parse(ExperimentsArguments, arguments)
    start = now - asked.days * DAY
    with database.read() as read:
        counted = _counted(read, lake, start=start, now=now)
        shares = _shares(read)
        references = {f"{RULE}/{one.rule.key}": _off(one.rule) for one in rules.listed(read) if one.rule.arms}
    told = readouts(
        counted, shares=shares, references=references, now=now, min_days=asked.min_days, min_hits=asked.min_hits
    )
    verdict: Verdict = min((one.verdict for one in told), key=GRAVEST.index, default="unknown")
    result = {"experiments": [dump(one) for one in told]}
    audit_id = f"{KIND}-{job_id}"
    audit = Audit(
        audit_id=audit_id,
        kind="experiments",
        job_id=job_id,
        at=now,
        verdict=verdict,
        sentence=_sentence(told, verdict),
        population={"start": start, "end": now, "min_days": asked.min_days, "min_hits": asked.min_hits},
        result=result,
        artifacts=keep(home, audit_id, {"experiments.json": canonical(result)}),
    )
    with database.write() as write:
        findings.save(write, audit)
    return audit


def _counted(read: Read, lake: Lake, *, start: int, now: int) -> ArmOutcomes:
    goals = {stored.campaign.key: stored.campaign.goal for stored in campaigns.listed(read)}
    bought = sorted(name for name, kind in installation(read).events.items() if kind.role == "commitment")
    since = {f"{RULE}/{one.rule.key}": max(start, one.updated_at) for one in rules.listed(read) if one.rule.arms}
    parts: list[tuple[str, int, str | None]] = [("imported", 0, None)]
    parts += [("own", start, None), *(("own", at, test) for test, at in since.items() if at > start)]
    found = []
    for part, at, test in parts:
        one = arm_outcomes.counted(
            lake,
            read,
            start=at,
            end=now,
            origins=("imported",) if part == "imported" else ("live", "simulated"),
            goals=goals,
            commitments=bought,
            sampling=sorted(SAMPLING),
        )
        changed = {name for name, begun in since.items() if begun > start}
        found.append(_only(one, lambda name, test=test, changed=changed: name == test if test else name not in changed))
    return ArmOutcomes(
        arms=tuple(arm for one in found for arm in one.arms),
        days=tuple(day for one in found for day in one.days),
        crossed=tuple(each for one in found for each in one.crossed),
    )


def _only(found: ArmOutcomes, wanted: Any) -> ArmOutcomes:
    return ArmOutcomes(
        arms=tuple(arm for arm in found.arms if wanted(arm.test)),
        days=tuple(day for day in found.days if wanted(day.test)),
        crossed=tuple(each for each in found.crossed if wanted(each.test)),
    )


def _shares(read: Read) -> dict[str, dict[str, float]]:
    """Return the share of people that each arm should have, where it was set."""
    held = {
        f"{HOLDOUT}/{one.campaign.key}": {"held_out": one.campaign.holdout, "treated": 1.0 - one.campaign.holdout}
        for one in campaigns.listed(read)
        if one.campaign.holdout > 0.0
    }
    ruled = {f"{RULE}/{one.rule.key}": _of_rule(one.rule) for one in rules.listed(read) if one.rule.arms}
    return {**held, **ruled}


def _of_rule(rule: Rule) -> dict[str, float]:
    shares = {arm.key: arm.share for arm in rule.arms}
    rest = 1.0 - sum(shares.values())
    return {**shares, **({NO_ARM: rest} if rest > 1e-9 else {})}


def _off(rule: Rule) -> str:
    """Return the arm that others are held against: the one that is off, else the rule as it stands."""
    return next((arm.key for arm in rule.arms if arm.off), NO_ARM)


def _sentence(told: tuple[Readout, ...], verdict: Verdict) -> str:
    if not told:
        return "No decision, slot or person was drawn by chance between two arms yet."
    gravest = next(one for one in told if one.verdict == verdict)
    many = f"{len(told)} {'experiment' if len(told) == 1 else 'experiments'}."
    mark = " These rows are simulated." if gravest.origin == "simulated" else ""
    return f"{many} {gravest.title}: {gravest.sentence}{mark}"
