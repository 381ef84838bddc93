"""The judgement of rules: what each did since it last changed, and what to do about it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

from governance.advice import advise
from governance.checks.artifacts import keep
from governance.effects import effect_of
from governance.review import Shelfmarks, in_service, told
from storage import campaigns, findings, rules
from storage.database import Database
from storage.lake import Lake
from storage.records.clock import DAY
from storage.records.document import canonical, document, dump, parse
from storage.records.findings import Audit, Verdict
from storage.rule_outcomes import counted

GRAVEST: tuple[Verdict, ...] = ("fail", "warn", "unknown", "pass")


@document
class RulesArguments:
    """What a judgement looks at: the last so many ``days`` of decisions of these ``origins``."""

    days: int = Field(default=7, ge=1, le=90)
    origins: tuple[str, ...] = ("live", "simulated")


def run_rules(
    database: Database, lake: Lake, *, job_id: str, arguments: Mapping[str, Any], now: int, home: Path
) -> Audit:
    """Judge the rules in service, store it (``findings.save``) and return it; ``audit_id`` is ``rules-{job_id}``.

    A rule that changed within the days is judged by what came since: before, it was another rule.

    Raises
    ------
    Invalid
        If an argument is unknown or of the wrong type.
    """
    asked = parse(RulesArguments, arguments)
    start = now - asked.days * DAY
    with database.read() as read:
        whole = in_service(read)
        changed = {stored.rule.key: stored.updated_at for stored in rules.listed(read)}
        goals = {stored.campaign.key: stored.campaign.goal for stored in campaigns.listed(read)}
        since = {rule.key: max(start, changed.get(rule.key, start)) for rule in whole}
        counts = {
            each: counted(lake, read, start=each, end=now, origins=asked.origins, goals=goals)
            for each in sorted(set(since.values()))
        }
        conflicts = told(read, whole, marks=Shelfmarks(), now=now)
    effects = [effect_of(rule, counts[since[rule.key]], since=since[rule.key]) for rule in whole]
    advice = advise(whole, effects, conflicts, days=asked.days)
    verdict = min((one.verdict for one in advice), key=GRAVEST.index, default="unknown" if not whole else "pass")
    result = {"effects": [dump(one) for one in effects], "advice": [dump(one) for one in advice]}
    audit_id = f"rules-{job_id}"
    audit = Audit(
        audit_id=audit_id,
        kind="rules",
        job_id=job_id,
        at=now,
        verdict=verdict,
        sentence=_sentence(len(whole), verdict, [one.sentence for one in advice]),
        population={"start": start, "end": now, "origins": list(asked.origins), "rules": len(whole)},
        result=result,
        artifacts=keep(home, audit_id, {"rules.json": canonical(result)}),
    )
    with database.write() as write:
        findings.save(write, audit)
    return audit


def _sentence(judged: int, verdict: Verdict, advice: list[str]) -> str:
    if not judged:
        return "No rule is on, so there is nothing to judge."
    if not advice:
        return f"{judged} rules are on; nothing speaks against one."
    gravest = f"{judged} {'rule is' if judged == 1 else 'rules are'} on. {advice[0]}"
    return gravest if verdict != "unknown" else f"{gravest} Nothing is shown for or against a rule yet."
