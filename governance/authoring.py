"""Rules of the installation: written, turned on and off, edited and deleted by those who run campaigns."""

from dataclasses import replace

from governance.actions import Ground, Nothing, Step, always, found, marketing, refuse, untagged
from governance.installation import installation
from governance.rule_validity import rule_problems
from governance.validity import key_problems
from storage import campaigns, policies, rules
from storage.database import Read, Write
from storage.errors import Conflict, Problem
from storage.records.changes import Level
from storage.records.document import document, dump
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


def _find(read: Read, key: str) -> rules.StoredRule:
    stored: rules.StoredRule = found(rules.find(read, key), "rule")
    return stored


def _etag(read: Read, key: str) -> str:
    stored = rules.find(read, key)
    return stored.etag if stored else ""


def _step(before: Rule | None, stored: rules.StoredRule) -> Step:
    return Step(before=dump(before) if before else None, after=dump(stored.rule), etag=stored.etag)


def _key_problems(key: str, rule: Rule) -> tuple[Problem, ...]:
    return () if key == rule.key else (Problem(field="rule.key", message="differs from the key addressed"),)


def _create(write: Write, key: str, payload: NewRule, ground: Ground) -> Step:
    rule = replace(payload.rule, version=1)
    refuse(_key_problems(key, rule) + problems_of(write, rule))
    if rules.find(write, key) is not None:
        raise Conflict("there is a rule of this key already")
    return _step(None, rules.save(write, rule, previous=None, at=ground.at))


def _edit(write: Write, key: str, payload: NewRule, ground: Ground) -> Step:
    before = _find(write, key).rule
    after = replace(payload.rule, version=before.version)
    refuse(_key_problems(key, after) + problems_of(write, after))
    if before == after:
        raise Conflict("the rule is like this already")
    after = replace(after, version=before.version + 1)
    return _step(before, rules.save(write, after, previous=before, at=ground.at))


def _rollback(write: Write, key: str, _payload: Nothing, ground: Ground) -> Step:
    """Put back what the last edit replaced, as a new version; what was off then, or is off now, stays off."""
    stored = _find(write, key)
    before, earlier = stored.rule, stored.previous
    if earlier is None:
        raise Conflict("this rule was never edited; disable it to be without it")
    after = replace(earlier, version=before.version + 1, enabled=earlier.enabled and before.enabled)
    return _step(before, rules.save(write, after, previous=before, at=ground.at))


def _turned(write: Write, key: str, at: int, *, on: bool) -> Step:
    stored = _find(write, key)
    before = stored.rule
    if before.enabled == on:
        raise Conflict(f"the rule is {'on' if on else 'off'} already")
    after = replace(before, enabled=on)
    if on:
        refuse(problems_of(write, after))
    return _step(before, rules.save(write, after, previous=stored.previous, at=at))


def _enable(write: Write, key: str, _payload: Nothing, ground: Ground) -> Step:
    return _turned(write, key, ground.at, on=True)


def _disable(write: Write, key: str, _payload: Nothing, ground: Ground) -> Step:
    return _turned(write, key, ground.at, on=False)


def _delete(write: Write, key: str, _payload: Nothing, _ground: Ground) -> Step:
    before = _find(write, key).rule
    if before.enabled:
        raise Conflict("this rule is on; disable it first")
    rules.remove(write, key)
    return Step(before=dump(before), after=None)


def level_of(rule: Rule) -> Level:
    """Return how dangerous it is to serve a rule."""
    return "D2" if broad(rule) else "D1"


def _create_level(_read: Read, _key: str, payload: NewRule) -> Level:
    return level_of(payload.rule)


def _edit_level(read: Read, key: str, payload: NewRule) -> Level:
    _find(read, key)
    return level_of(payload.rule)


def _enable_level(read: Read, key: str, _payload: Nothing) -> Level:
    return level_of(replace(_find(read, key).rule, enabled=True))


ACTIONS = (
    marketing("rule.create", _create, _create_level, payload=NewRule, etag=untagged),
    marketing("rule.edit", _edit, _edit_level, payload=NewRule, tagged=True, etag=_etag),
    marketing("rule.enable", _enable, _enable_level, etag=_etag),
    marketing("rule.disable", _disable, always("safe"), etag=_etag),
    marketing("rule.rollback", _rollback, always("safe"), etag=_etag),
    marketing("rule.delete", _delete, always("D1"), tagged=True, etag=_etag),
)
