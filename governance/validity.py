"""What an author must mend before a policy, a campaign or the settings may be saved."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from governance.cap_validity import cap_problems
from governance.rule_validity import rule_problems, zone_known
from governance.segmentation import segment_rule_problems
from scoring_core.candidates.sources import source_key
from scoring_core.circumstances import COMPUTED, RESERVED
from scoring_core.conditions import check
from scoring_core.declared import declared
from scoring_core.plugins import Plugins, installed, scorers
from scoring_core.reasons import template_problems
from scoring_core.scorers.choice import SAMPLING, choice_problems
from storage.errors import Problem
from storage.records.campaigns import Campaign
from storage.records.consent import Purpose
from storage.records.policies import Attribute, Installation, Policy
from storage.records.subjects import COUNTERS

KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""Keys stand in addresses and series labels; names may be any text."""

MAX_NAME = 200

KNOWN = frozenset(COUNTERS) | COMPUTED.keys() | {"segment"}
"""What the house itself knows of a person: no stated attribute may be called so."""


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


def policy_problems(policy: Policy, installation: Installation) -> tuple[Problem, ...]:
    """Return what is wrong with a policy version."""
    problems = list(_surface("surface", policy.surface, installation))
    problems += _within("scorer", choice_problems(policy.scorer, scorers(installed())))
    if policy.rerank is not None and policy.scorer.name in SAMPLING:
        problems.append(Problem(field="rerank", message="this scorer draws its own order, which would undo it"))
    problems += _within("filters", check(policy.filters, None))
    problems += _repeated("fallback", policy.fallback)
    problems += _repeated("sources", map(source_key, policy.sources))
    problems += _plugin_problems(policy, installed())
    problems += _repeated("rules", (rule.key for rule in policy.rules))
    if not policy.sources:
        problems.append(Problem(field="sources", message="name at least one source of candidates"))
    for place, rule in enumerate(policy.rules):
        found = rule_problems(rule, installation, keys=key_problems, surface=policy.surface)
        problems += _within(f"rules.{place}", found)
    problems += _repeated("caps", (cap.key for cap in policy.caps))
    for place, cap in enumerate(policy.caps):
        problems += _within(f"caps.{place}", cap_problems(cap, installation, keys=key_problems, surface=policy.surface))
    if policy.fatigue_tolerance is not None and installation.fatigue is None:
        message = "the installation keeps no fatigue; set fatigue in its settings first, or leave this out"
        problems.append(Problem(field="fatigue_tolerance", message=message))
    if policy.rerank is not None and not policy.rerank.attribute:
        message = "say by which attribute of items groups are told, such as brand, or item_id for every item by itself"
        problems.append(Problem(field="rerank.attribute", message=message))
    problems += template_problems(policy.reasons, "reasons")
    return tuple(problems)


def _plugin_problems(policy: Policy, plugins: Plugins) -> Iterator[Problem]:
    """Yield what a policy asks of plugins that are not installed where control runs."""
    enrichers, sources = plugins.of("enricher"), plugins.of("source")
    for place, name in enumerate(policy.enrichers):
        if name not in enrichers:
            yield Problem(field=f"enrichers.{place}", message="no enricher plugin of that name is installed here")
    for place, source in enumerate(policy.sources):
        asked = source.name == "plugin" or (source.name == "search" and source.model)
        if asked and source.model not in sources:
            message = "no source plugin of that name is installed here"
            yield Problem(field=f"sources.{place}.model", message=message)


def segment_problems(segment: Mapping[str, Any], surface: str, installation: Installation) -> tuple[Problem, ...]:
    """Return what is wrong with a rollout's segment."""
    return tuple(_within("segment", check(segment, declared(installation, surface))))


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
    if not zone_known(campaign.zone):
        problems.append(Problem(field="zone", message="must be a time zone of the IANA data base, like Europe/Berlin"))
    if installation.events and campaign.goal not in installation.events:
        problems.append(Problem(field="goal", message="no such event type is declared in the installation's settings"))
    if not 0.0 <= campaign.holdout <= 1.0:
        problems.append(Problem(field="holdout", message="must be between 0 and 1"))
    problems += _repeated("caps", (cap.key for cap in campaign.caps))
    for place, cap in enumerate(campaign.caps):
        found = cap_problems(cap, installation, keys=key_problems, campaigns=(campaign.key,))
        problems += _within(f"caps.{place}", found)
    problems += _within("item_filter", check(campaign.item_filter, None))
    problems += _within("eligibility", check(campaign.eligibility, declared(installation, *campaign.surfaces)))
    return tuple(problems)


def _context_problems(name: str, attribute: Attribute) -> Iterator[Problem]:
    root = name.partition(".")[0]
    if root in RESERVED:
        message = (
            f"{root} is what conditions call the house's own knowledge; give the attribute of the context another name"
        )
        yield Problem(field="surfaces.context", message=message)
    if attribute.type in ("list", "any"):
        yield Problem(field="surfaces.context", message="a context holds text, numbers, true and false only")


def _stated_problems(name: str, attribute: Attribute) -> Iterator[Problem]:
    if name in KNOWN or not KEY.fullmatch(name):
        message = f"use letters, digits, dots, dashes and underscores, and none of {', '.join(sorted(KNOWN))}"
        yield Problem(field="attributes", message=message)
    if attribute.type == "any":
        yield Problem(field="attributes", message="say of which type it is: string, number, boolean or list")


def _region_problems(installation: Installation) -> Iterator[Problem]:
    name = installation.region_from
    if name and not any(
        attribute.type == "string"
        for surface in installation.surfaces.values()
        if (attribute := surface.context.get(name)) is not None
    ):
        yield Problem(field="region_from", message="declare this attribute as a string in a surface's context first")
    known = {purpose.value for purpose in Purpose}
    for defaults in installation.consent_default.values():
        if set(defaults) - known:
            yield Problem(field="consent_default", message=f"a purpose is one of {', '.join(sorted(known))}")


def installation_problems(installation: Installation) -> tuple[Problem, ...]:
    """Return what is wrong with the installation's settings."""
    problems: list[Problem] = []
    for key, surface in installation.surfaces.items():
        problems += key_problems(key, f"surfaces.{key}" if KEY.fullmatch(key) else "surfaces")
        if surface.key != key:
            problems.append(Problem(field="surfaces", message="a surface's key differs from its name in the mapping"))
        if not 1 <= surface.default_slots <= surface.max_slots:
            problems.append(Problem(field="surfaces", message="default_slots must be between 1 and max_slots"))
        for name, attribute in surface.context.items():
            problems += _context_problems(name, attribute)
        problems += template_problems(surface.reasons, "surfaces.reasons")
    for name, attribute in installation.attributes.items():
        problems += _stated_problems(name, attribute)
    if not zone_known(installation.zone):
        problems.append(Problem(field="zone", message="must be a time zone of the IANA data base, like Europe/Berlin"))
    problems += _region_problems(installation)
    for kind in installation.events.values():
        if kind.half_life_s <= 0:
            problems.append(Problem(field="events", message="half_life_s must be above zero"))
    for key, rule in installation.segments.items():
        field = f"segments.{key}" if KEY.fullmatch(key) else "segments"
        problems += [*key_problems(key, field), *_within(field, segment_rule_problems(key, rule, installation))]
    return tuple(problems)
