"""What an author must mend before a rule may be saved."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from zoneinfo import ZoneInfo

from scoring_core.adapt import kind_of
from scoring_core.conditions import check
from scoring_core.declared import declared
from scoring_core.reasons import sentence_problems
from scoring_core.rules import NO_ARM
from storage.errors import Problem
from storage.records.events import Scalar
from storage.records.policies import Installation
from storage.records.rules import Rule, RuleArm

MAX_NAME = 200
TAKEN = frozenset({"conflicts", "validate", "performance", "advice", "optimize"})
"""Keys that would stand in the way of routes."""
TOLERANCE = 1e-9

Keys = Callable[[str, str], Iterator[Problem]]


def zone_known(zone: str) -> bool:
    """Tell whether a zone is in the IANA data base.

    >>> zone_known("Europe/Berlin"), zone_known("Berlin")
    (True, False)
    """
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        return False
    return True


def rule_problems(
    rule: Rule,
    installation: Installation,
    *,
    keys: Keys,
    surface: str | None = None,
    campaigns: Collection[str] | None = None,
) -> Iterator[Problem]:
    """Yield what is wrong with a rule; ``surface`` is that of the policy it stands in, None for the installation's own;
    ``campaigns`` are those that there are (None: not looked at)."""
    yield from keys(rule.key, "key")
    if rule.key in TAKEN:
        yield Problem(field="key", message="is the name of a page about all rules; choose another")
    if len(rule.name) > MAX_NAME:
        yield Problem(field="name", message=f"use at most {MAX_NAME} characters")
    if rule.group:
        yield from keys(rule.group, "group")
    places = (surface,) if surface is not None else rule.surfaces
    yield from _within("when", check(rule.when, declared(installation, *places)))
    yield from _within("items", check(rule.items))
    for place, name in enumerate(rule.surfaces):
        if name not in installation.surfaces:
            yield Problem(
                field=f"surfaces.{place}", message="no such surface is declared in the installation's settings"
            )
    for place, name in enumerate(rule.campaigns):
        if campaigns is not None and name not in campaigns:
            yield Problem(field=f"campaigns.{place}", message="there is no such campaign")
    yield from _schedule(rule)
    yield from _ACTIONS[rule.action](rule, installation)
    yield from _misplaced(rule)
    yield from _arms(rule, installation, keys)
    yield from sentence_problems(rule.reason, "reason")


def _within(field: str, problems: tuple[Problem, ...]) -> Iterator[Problem]:
    for problem in problems:
        yield Problem(field=f"{field}.{problem.field}" if problem.field else field, message=problem.message)


def _schedule(rule: Rule) -> Iterator[Problem]:
    if rule.starts_at is not None and rule.ends_at is not None and rule.starts_at >= rule.ends_at:
        yield Problem(field="ends_at", message="must be after starts_at")
    if not zone_known(rule.zone):
        yield Problem(field="zone", message="must be a time zone of the IANA data base, like Europe/Berlin")
    for field, given in (("weekdays", rule.weekdays), ("hours", rule.hours)):
        if len(set(given)) < len(given):
            yield Problem(field=field, message="each may stand here once")


def _pin(rule: Rule, _installation: Installation) -> Iterator[Problem]:
    if rule.slot < 1:
        yield Problem(field="slot", message="slots start at 1")
    if not rule.items:
        yield Problem(field="items", message="say what is pinned, by a condition over item attributes or item_id")


def _boost(rule: Rule, _installation: Installation) -> Iterator[Problem]:
    if rule.factor <= 0:
        yield Problem(field="factor", message="must be above zero; above 1 lifts, below 1 lowers")


def _exclude(rule: Rule, _installation: Installation) -> Iterator[Problem]:
    if not rule.items:
        yield Problem(field="items", message="say what is left out; a rule without it would empty the surface")


def _set(rule: Rule, installation: Installation) -> Iterator[Problem]:
    if not rule.values and not any(arm.values for arm in rule.arms):
        yield Problem(field="values", message="say what is set, as names and values of the app's configuration")
    yield from _values(rule.values, installation, "values")


_ACTIONS: Mapping[str, Callable[[Rule, Installation], Iterator[Problem]]] = {
    "pin": _pin,
    "boost": _boost,
    "exclude": _exclude,
    "set": _set,
}


def _values(values: Mapping[str, Scalar], installation: Installation, field: str) -> Iterator[Problem]:
    for name, value in values.items():
        if name not in installation.app:
            known = ", ".join(sorted(installation.app)) or "none; declare them as app in the installation's settings"
            yield Problem(field=field, message=f"names a setting that the app does not have; it has: {known}")
        elif kind_of(value) != kind_of(installation.app[name]):
            yield Problem(
                field=f"{field}.{name}", message=f"must be a {kind_of(installation.app[name])}, as its default"
            )


def _misplaced(rule: Rule) -> Iterator[Problem]:
    """Yield what another action would need, and this one would silently ignore."""
    plain = Rule(key=rule.key, action=rule.action)
    for field, action in (("values", "set"), ("slot", "pin"), ("factor", "boost")):
        if rule.action != action and getattr(rule, field) != getattr(plain, field):
            yield Problem(field=field, message=f"only a rule that does {action} takes this; leave it out")
    if rule.action == "set" and rule.items:
        yield Problem(field="items", message="a rule that does set touches no items; leave it out")


def _arms(rule: Rule, installation: Installation, keys: Keys) -> Iterator[Problem]:
    if sum(arm.share for arm in rule.arms) > 1.0 + TOLERANCE:
        yield Problem(field="arms", message="the shares add up to more than 1; who is in none gets the rule as it is")
    if any(count > 1 for count in Counter(arm.key for arm in rule.arms).values()):
        yield Problem(field="arms", message="each key may stand here once")
    for place, arm in enumerate(rule.arms):
        field = f"arms.{place}"
        yield from keys(arm.key, f"{field}.key")
        if arm.key == NO_ARM:
            yield Problem(field=f"{field}.key", message=f"{NO_ARM} names those who are in no arm; choose another")
        yield from _arm(rule, arm, installation, field)


def _arm(rule: Rule, arm: RuleArm, installation: Installation, field: str) -> Iterator[Problem]:
    given = {
        "factor": ("boost", arm.factor is not None),
        "slot": ("pin", arm.slot is not None),
        "values": ("set", bool(arm.values)),
    }
    for name, (action, there) in given.items():
        if there and (arm.off or rule.action != action):
            what = "an arm that is off does nothing" if arm.off else f"only a rule that does {action} takes this"
            yield Problem(field=f"{field}.{name}", message=f"{what}; leave it out")
    if not arm.off and not any(there for _action, there in given.values()):
        yield Problem(field=field, message="say what differs for this arm, or that it is off")
    if arm.factor is not None and arm.factor <= 0:
        yield Problem(field=f"{field}.factor", message="must be above zero; above 1 lifts, below 1 lowers")
    if arm.slot is not None and arm.slot < 1:
        yield Problem(field=f"{field}.slot", message="slots start at 1")
    yield from _values(arm.values, installation, f"{field}.values")
