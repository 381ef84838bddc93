"""What an author must mend before a policy, a campaign or the settings may be saved."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from governance.segmentation import segment_rule_problems
from scoring_core.conditions import check
from scoring_core.plugins import installed, scorers
from scoring_core.scorers.choice import SAMPLING, choice_problems
from storage.errors import Problem
from storage.records.campaigns import Campaign
from storage.records.policies import Attribute, Installation, Policy
from storage.records.rules import Rule

KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""Keys stand in addresses and series labels; names may be any text."""

MAX_NAME = 200


def key_problems(key: str, field: str = "key") -> Iterator[Problem]:
    """Yield what is wrong with a key."""
    if not KEY.fullmatch(key):
        yield Problem(field=field, message="use 1 to 64 letters, digits, dots, dashes or underscores")


def _within(field: str, problems: Iterable[Problem]) -> Iterator[Problem]:
    for problem in problems:
        inner = problem.field
        yield Problem(field=f"{field}.{inner}" if inner else field, message=problem.message)


def _repeated(field: str, names: Iterable[str]) -> Iterator[Problem]:
    if any(count > 1 for count in Counter(names).values()):
        yield Problem(field=field, message="each may stand here once")


def _surface(field: str, key: str, installation: Installation) -> Iterator[Problem]:
    if key not in installation.surfaces:
        yield Problem(field=field, message="no such surface is declared in the installation's settings")


def _rule_problems(place: int, rule: Rule, context: Mapping[str, Attribute]) -> Iterator[Problem]:
    field = f"rules.{place}"
    yield from key_problems(rule.key, f"{field}.key")
    yield from _within(f"{field}.when", check(rule.when, context))
    yield from _within(f"{field}.items", check(rule.items, None))
    if rule.factor <= 0:
        yield Problem(field=f"{field}.factor", message="must be above zero")
    if rule.slot < 1:
        yield Problem(field=f"{field}.slot", message="slots start at 1")


def policy_problems(policy: Policy, installation: Installation) -> tuple[Problem, ...]:
    """Return what is wrong with a policy version."""
    problems = list(_surface("surface", policy.surface, installation))
    surface = installation.surfaces.get(policy.surface)
    context = surface.context if surface else {}
    problems += _within("scorer", choice_problems(policy.scorer, scorers(installed())))
    if policy.rerank is not None and policy.scorer.name in SAMPLING:
        problems.append(Problem(field="rerank", message="this scorer draws its own order, which would undo it"))
    problems += _within("filters", check(policy.filters, None))
    problems += _repeated("fallback", policy.fallback)
    problems += _repeated("sources", (source.name for source in policy.sources))
    problems += _repeated("rules", (rule.key for rule in policy.rules))
    if not policy.sources:
        problems.append(Problem(field="sources", message="name at least one source of candidates"))
    for place, rule in enumerate(policy.rules):
        problems += _rule_problems(place, rule, context)
    return tuple(problems)


def segment_problems(segment: Mapping[str, Any], surface: str, installation: Installation) -> tuple[Problem, ...]:
    """Return what is wrong with a rollout's segment."""
    declared = installation.surfaces.get(surface)
    return tuple(_within("segment", check(segment, declared.context if declared else {})))


def _zone_known(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        return False
    return True


def campaign_problems(campaign: Campaign, installation: Installation) -> tuple[Problem, ...]:
    """Return what is wrong with a campaign."""
    problems = list(key_problems(campaign.key))
    if not 1 <= len(campaign.name.strip()) <= MAX_NAME:
        problems.append(Problem(field="name", message=f"use 1 to {MAX_NAME} characters"))
    if not campaign.surfaces:
        problems.append(Problem(field="surfaces", message="name at least one surface"))
    for place, surface in enumerate(campaign.surfaces):
        problems += _surface(f"surfaces.{place}", surface, installation)
    if campaign.starts_at is not None and campaign.ends_at is not None and campaign.starts_at >= campaign.ends_at:
        problems.append(Problem(field="ends_at", message="must be after starts_at"))
    if not _zone_known(campaign.zone):
        problems.append(Problem(field="zone", message="must be a time zone of the IANA data base, like Europe/Berlin"))
    if installation.events and campaign.goal not in installation.events:
        problems.append(Problem(field="goal", message="no such event type is declared in the installation's settings"))
    if not 0.0 <= campaign.holdout <= 1.0:
        problems.append(Problem(field="holdout", message="must be between 0 and 1"))
    context = {
        name: attribute
        for surface in campaign.surfaces
        if surface in installation.surfaces
        for name, attribute in installation.surfaces[surface].context.items()
    }
    problems += _within("item_filter", check(campaign.item_filter, None))
    problems += _within("eligibility", check(campaign.eligibility, context))
    return tuple(problems)


def installation_problems(installation: Installation) -> tuple[Problem, ...]:
    """Return what is wrong with the installation's settings."""
    problems: list[Problem] = []
    for key, surface in installation.surfaces.items():
        problems += key_problems(key, f"surfaces.{key}" if KEY.fullmatch(key) else "surfaces")
        if surface.key != key:
            problems.append(Problem(field="surfaces", message="a surface's key differs from its name in the mapping"))
        if not 1 <= surface.default_slots <= surface.max_slots:
            problems.append(Problem(field="surfaces", message="default_slots must be between 1 and max_slots"))
    for kind in installation.events.values():
        if kind.half_life_s <= 0:
            problems.append(Problem(field="events", message="half_life_s must be above zero"))
    for key, rule in installation.segments.items():
        field = f"segments.{key}" if KEY.fullmatch(key) else "segments"
        problems += [*key_problems(key, field), *_within(field, segment_rule_problems(key, rule, installation))]
    return tuple(problems)
