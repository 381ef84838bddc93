"""What each rule did: how often, with which click rate, and against what would have been without it."""

from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter

from governance.proportions import Difference, Tally, difference, remainder, tallied
from scoring_core.rules import NO_ARM
from storage.records.document import document
from storage.records.proportions import wilson
from storage.records.rules import Rule
from storage.rule_outcomes import EVERY, UNTESTED, RuleCount


@document
class ArmEffect:
    """What people of one arm saw, clicked, and did of what campaigns are for, each rate per impression with its 95 %
    interval; ``versus`` is the click rate minus that of the reference arm."""

    arm: str
    decisions: int
    people: int
    impressions: int
    clicks: int
    rate: float | None
    low: float
    high: float
    conversions: int
    conversion_rate: float | None
    conversion_low: float
    conversion_high: float
    versus: Mapping[str, float | str] | None = None


@document
class Effect:
    """What a rule did ``since`` then (microseconds UTC). ``eligible`` counts the decisions on its surfaces, ``held``
    those where it held, ``applied`` those where it did something. ``tested`` tells whether the arms are a test (people
    divided by hash): only then the difference is the rule's doing. ``reference`` is what the others are compared
    with: the arm that is off, else the rule as it stands; without a test the decisions where the rule did not
    apply, whose people are others."""

    rule: str
    version: int
    since: int
    tested: bool
    reference: str
    eligible: int
    held: int
    applied: int
    arms: tuple[ArmEffect, ...]
    origins: tuple[str, ...]
    simulated: bool


def effect_of(rule: Rule, counts: Sequence[RuleCount], *, since: int) -> Effect:
    """Return the effect of a rule from what was counted ``since`` (microseconds UTC) then."""
    here = [
        row
        for row in counts
        if (not rule.surfaces or row.surface in rule.surfaces)
        and (not rule.campaigns or row.campaign in rule.campaigns)
    ]
    every = [row for row in here if row.rule == EVERY]
    own = [row for row in here if row.rule == rule.key]
    tested = bool(rule.arms)
    if tested:
        off = next((arm.key for arm in rule.arms if arm.off), None)
        reference = off or NO_ARM
        names = dict.fromkeys((reference, NO_ARM, *(arm.key for arm in rule.arms)))
        groups = {name: [row for row in own if row.arm == name] for name in names}
        groups = {name: rows for name, rows in groups.items() if rows or name == reference}
        base = _tally(groups[reference])
    else:
        reference = "not applied"
        groups = {"applied": [row for row in own if row.arm == UNTESTED]}
        base = remainder(_tally(every), _tally(groups["applied"]))
    arms = [
        _arm(name, rows, None if name == reference else difference(_tally(rows), base)) for name, rows in groups.items()
    ]
    if not tested:
        others = sum(row.decisions for row in every) - sum(row.decisions for row in own)
        arms.append(_told(reference, others, base, _conversions(every) - _conversions(own), None))
    origins = tuple(sorted({row.origin for row in own}))
    return Effect(
        rule=rule.key,
        version=rule.version,
        since=since,
        tested=tested,
        reference=reference,
        eligible=sum(row.decisions for row in every),
        held=sum(row.decisions for row in own),
        applied=sum(row.applied for row in own),
        arms=tuple(arms),
        origins=origins,
        simulated="simulated" in origins,
    )


def _arm(name: str, rows: Sequence[RuleCount], versus: Difference | None) -> ArmEffect:
    return _told(name, sum(row.decisions for row in rows), _tally(rows), _conversions(rows), versus)


def _conversions(rows: Iterable[RuleCount]) -> int:
    return sum(row.conversions for row in rows)


def _told(name: str, decisions: int, tally: Tally, conversions: int, versus: Difference | None) -> ArmEffect:
    low, high = wilson(tally.hits, tally.n)
    least, most = wilson(conversions, tally.n)
    return ArmEffect(
        arm=name,
        decisions=decisions,
        people=tally.people,
        impressions=tally.n,
        clicks=tally.hits,
        rate=tally.rate,
        low=low,
        high=high,
        conversions=conversions,
        conversion_rate=conversions / tally.n if tally.n else None,
        conversion_low=least,
        conversion_high=most,
        versus=None
        if versus is None
        else {
            "value": versus.value,
            "low": versus.low,
            "high": versus.high,
            "p": versus.p,
            "unit": versus.unit,
        },
    )


def _tally(rows: Iterable[RuleCount]) -> Tally:
    return tallied(rows, people=attrgetter("people"))
