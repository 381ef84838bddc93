"""Rules of the installation: written, turned on and off, edited and deleted by those who run campaigns."""

from dataclasses import replace

from governance.edited import Edited
from governance.installation import installation
from governance.rule_validity import rule_problems
from governance.validity import key_problems
from storage import campaigns, policies, rules
from storage.database import Read
from storage.errors import Problem
from storage.records.changes import Level
from storage.records.document import document
from storage.records.rules import Rule


@document
class NewRule:
    """A rule, whole."""

    rule: Rule


def broad(rule: Rule) -> bool:
    """Tell whether a rule that is on touches whoever comes: it has no condition and names no campaign.

    >>> broad(Rule(key="a", action="set")), broad(Rule(key="b", action="set", when={"user.clicks": {"$gt": 3}}))
    (True, False)
    """
    return rule.enabled and not rule.when and not rule.campaigns


def problems_of(read: Read, rule: Rule) -> tuple[Problem, ...]:
    """Return what is wrong with a rule of the installation."""
    known = frozenset(stored.campaign.key for stored in campaigns.listed(read))
    problems = list(rule_problems(rule, installation(read), keys=key_problems, campaigns=known))
    if rule.key in {one.key for one in of_policies(read)}:
        problems.append(Problem(field="key", message="a policy in service has a rule of this key; choose another"))
    return tuple(problems)


def of_policies(read: Read) -> list[Rule]:
    """Return the rules inside the policy versions in service, each with its policy's surface."""
    return [
        replace(rule, surfaces=(head.surface,))
        for head in policies.heads(read)
        for one in policies.documents(read, head.key, head.in_service).values()
        for rule in one.rules
    ]


def level_of(rule: Rule) -> Level:
    """Return how dangerous it is to serve a rule."""
    return "D2" if broad(rule) else "D1"


ACTIONS = Edited(
    noun="rule", store=rules, payload=NewRule, problems=problems_of, level=lambda _before, after: level_of(after)
).actions()
