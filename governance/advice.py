"""What to do about rules, each word with its evidence: never more than the data carry."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from governance.conflicts import Conflict
from governance.effects import ArmEffect, Effect
from governance.proportions import discoveries, needed
from scoring_core.rules import NO_ARM
from storage.records.document import document
from storage.records.rules import Rule

Kind = Literal[
    "harms", "helps", "worse_where_applied", "too_little", "never_fires", "always_fires", "untested", "conflict"
]

ENOUGH_DECISIONS = 1_000
"""Of so many decisions that were on a rule's surfaces, one should have been its own."""
ALWAYS = 0.99
ORDER: Mapping[str, int] = {
    name: place
    for place, name in enumerate(
        ("harms", "worse_where_applied", "conflict", "never_fires", "always_fires", "helps", "too_little", "untested")
    )
}


@document
class Advice:
    """One piece of advice: about which rule, in a sentence that names its evidence; ``verdict`` is that of checks
    (pass, warn, fail, unknown)."""

    rule: str
    kind: Kind
    verdict: Literal["pass", "warn", "fail", "unknown"]
    sentence: str
    missing: int | None = None


def advise(
    rules: Iterable[Rule], effects: Sequence[Effect], found: Sequence[Conflict], *, days: int
) -> tuple[Advice, ...]:
    """Return advice about the rules that are on, what matters most first.

    A rule is said to harm or to help only where its arms are a test and the difference stands among those of all rules
    (Benjamini and Hochberg at 5 %). Of a rule that is not tested it is said where it does worse, never why.
    """
    by_key = {rule.key: rule for rule in rules if rule.enabled}
    known = [effect for effect in effects if effect.rule in by_key]
    compared = [
        (effect, arm)
        for effect in known
        for arm in effect.arms
        if arm.versus is not None and arm.arm != effect.reference
    ]
    standing = discoveries([_number(arm, "p") for _effect, arm in compared])
    told: list[Advice] = []
    for (effect, arm), stands in zip(compared, standing, strict=True):
        apart = _number(arm, "low") > 0.0 or _number(arm, "high") < 0.0
        told.append(_stands(effect, arm) if stands and apart else _open(effect, arm))
    told += [_unseen(effect) for effect in known if all(arm.versus is None for arm in effect.arms)]
    for effect in known:
        told += _fires(by_key[effect.rule], effect, days)
    told += [
        Advice(rule=one.rules[-1], kind="conflict", verdict="warn", sentence=one.sentence)
        for one in found
        if set(one.rules) & by_key.keys()
    ]
    return tuple(sorted(told, key=lambda one: (ORDER[one.kind], one.rule)))


def _stands(effect: Effect, arm: ArmEffect) -> Advice:
    low, high = _number(arm, "low"), _number(arm, "high")
    evidence = f"{_rates(effect, arm)}: a difference of {_points(low)} to {_points(high)} percentage points"
    marked = "; these rows are simulated, so nothing follows for real people" if effect.simulated else ""
    if effect.tested:
        worse = high < 0.0
        does = "lowers" if worse else "raises"
        then = "end it or change it" if worse else "give it to everyone"
        return Advice(
            rule=effect.rule,
            kind="harms" if worse else "helps",
            verdict="fail" if worse else "pass",
            sentence=f"“{effect.rule}”, {_arm(arm)}, {does} the click rate, {evidence}; {then}{marked}.",
        )
    if high < 0.0:
        return Advice(
            rule=effect.rule,
            kind="worse_where_applied",
            verdict="warn",
            sentence=f"Where “{effect.rule}” applies people click less, {evidence}. The people differ, so test it with "
            f"an arm that is off before you end it{marked}.",
        )
    return _untested(effect)


def _open(effect: Effect, arm: ArmEffect) -> Advice:
    if not effect.tested:
        return _untested(effect)
    other = next(each for each in effect.arms if each.arm == effect.reference)
    wanted = needed(other.rate or arm.rate or 0.0)
    missing = max(wanted - min(arm.impressions, other.impressions), 0)
    more = f"about {missing:,} more impressions in each arm" if wanted else "clicks, of which there are none yet"
    if wanted and not missing:
        sentence = f"“{effect.rule}”, {_arm(arm)}, makes no difference of a fifth or more, {_rates(effect, arm)}."
    else:
        sentence = f"Too little is known of “{effect.rule}”, {_arm(arm)}: a change of a fifth needs {more}."
    return Advice(
        rule=effect.rule, kind="too_little", verdict="unknown", sentence=sentence, missing=missing if wanted else None
    )


def _unseen(effect: Effect) -> Advice:
    return Advice(
        rule=effect.rule,
        kind="too_little",
        verdict="unknown",
        sentence=f"Nothing can be said of “{effect.rule}” yet: with and without it people must have seen something.",
    )


def _untested(effect: Effect) -> Advice:
    return Advice(
        rule=effect.rule,
        kind="untested",
        verdict="unknown",
        sentence=f"Nobody knows what “{effect.rule}” does: give it an arm that is off for some people.",
    )


def _fires(rule: Rule, effect: Effect, days: int) -> list[Advice]:
    if effect.eligible < ENOUGH_DECISIONS:
        return []
    seen = f"{effect.held:,} of {effect.eligible:,} decisions on its surfaces in {days} days"
    if not effect.held:
        return [
            Advice(
                rule=rule.key,
                kind="never_fires",
                verdict="warn",
                sentence=f"“{rule.key}” never applied: {seen}. Look at its condition, items and schedule.",
            )
        ]
    if rule.when and effect.held >= ALWAYS * effect.eligible:
        return [
            Advice(
                rule=rule.key,
                kind="always_fires",
                verdict="warn",
                sentence=f"“{rule.key}” applied to nearly everyone: {seen}. Its condition divides nobody; narrow or "
                "drop it.",
            )
        ]
    return []


def _rates(effect: Effect, arm: ArmEffect) -> str:
    other = next(each for each in effect.arms if each.arm == effect.reference)
    return f"{_percent(arm)} against {_percent(other)} ({effect.reference})"


def _arm(arm: ArmEffect) -> str:
    return "as it stands" if arm.arm == NO_ARM else f"arm {arm.arm}"


def _percent(arm: ArmEffect) -> str:
    rate = "–" if arm.rate is None else f"{100 * arm.rate:.2f} %"
    return f"{rate} of {arm.impressions:,} impressions"


def _points(value: float) -> str:
    return f"{100 * value:+.2f}"


def _number(arm: ArmEffect, name: str) -> float:
    return float(arm.versus[name]) if arm.versus is not None else 1.0
