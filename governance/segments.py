"""An installation's own segments: written, edited and removed by those who run campaigns; standard ones changed."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from governance.actions import Action, Ground, Nothing, Step, always, found, marketing, refuse, untagged
from governance.installation import INSTALLATION, installation
from governance.segmentation import segment_rule_problems
from governance.validity import key_problems
from storage import campaigns, documents, policies, rules
from storage.database import Read, Write
from storage.errors import Conflict, Problem
from storage.records.document import digest, document, dump
from storage.records.segments import STANDARD_SEGMENTS, SegmentRule


@document
class NewSegment:
    """The rule of a segment, whole."""

    rule: SegmentRule


def rule_of(read: Read, key: str) -> SegmentRule | None:
    """Return a segment's rule as it holds: the installation's own word, else the standard."""
    return installation(read).segments.get(key) or STANDARD_SEGMENTS.get(key)


def etag_of(read: Read, key: str) -> str:
    """Return the tag of a segment's rule; empty where there is none."""
    rule = rule_of(read, key)
    return etag_of_rule(rule) if rule else ""


def etag_of_rule(rule: SegmentRule) -> str:
    """Return the tag of a rule."""
    return digest(rule)


def problems_of(read: Read, key: str, rule: SegmentRule) -> tuple[Problem, ...]:
    """Return what is wrong with a segment."""
    problems = [*key_problems(key), *segment_rule_problems(key, rule, installation(read))]
    return tuple(replace(one, field=f"rule.{one.field}" if one.field != "key" else "key") for one in problems)


def uses(read: Read, key: str) -> tuple[str, ...]:
    """Return what asks for a segment by name: rules, campaigns, policies in service, and other segments."""
    asking: list[tuple[str, Any]] = [(f"rule {one.rule.key}", one.rule.when) for one in rules.listed(read)]
    asking += [(f"campaign {one.campaign.key}", one.campaign.eligibility) for one in campaigns.listed(read)]
    for head in policies.heads(read):
        told = policies.documents(read, head.key, head.in_service).values()
        asking += [(f"policy {head.key}", rule.when) for policy in told for rule in policy.rules]
        asking += [(f"the rollout of {head.key}", head.rollout.segment)] if head.rollout else []
    own = installation(read).segments.items()
    asking += [(f"segment {name}", rule.when) for name, rule in own if name != key]
    return tuple(dict.fromkeys(who for who, condition in asking if key in _asked(condition)))


def _asked(condition: Any) -> Iterator[str]:
    """Yield every text below a condition on ``user.segments``."""
    if isinstance(condition, Mapping):
        for name, inner in condition.items():
            yield from _texts(inner) if name == "user.segments" else _asked(inner)
    elif isinstance(condition, list | tuple):
        for inner in condition:
            yield from _asked(inner)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list | tuple):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(inner)


def _save(write: Write, key: str, rule: SegmentRule | None) -> Step:
    settings = installation(write)
    before = settings.segments.get(key)
    others = {name: kept for name, kept in settings.segments.items() if name != key}
    documents.save(write, INSTALLATION, replace(settings, segments=others | ({key: rule} if rule else {})))
    return Step(
        before=dump(before) if before else None, after=dump(rule) if rule else None, etag=digest(rule) if rule else ""
    )


def _create(write: Write, key: str, payload: NewSegment, _ground: Ground) -> Step:
    if rule_of(write, key) is not None:
        raise Conflict("there is a segment of this key already; edit it")
    refuse(problems_of(write, key, payload.rule))
    return _save(write, key, payload.rule)


def _edit(write: Write, key: str, payload: NewSegment, _ground: Ground) -> Step:
    before = found(rule_of(write, key), "segment")
    refuse(problems_of(write, key, payload.rule))
    if before == payload.rule:
        raise Conflict("the segment is like this already")
    return _save(write, key, payload.rule)


def _delete(write: Write, key: str, _payload: Nothing, _ground: Ground) -> Step:
    found(rule_of(write, key), "segment")
    if key not in installation(write).segments:
        raise Conflict("a standard segment is not deleted; edit it with enabled false to be without it")
    users = uses(write, key)
    if users and key not in STANDARD_SEGMENTS:
        raise Conflict(f"still asked for by {', '.join(users[:5])}; change that first")
    return _save(write, key, None)


def _acting(verb: str, perform: Any, payload: type[Any]) -> Action:
    new = verb == "create"
    etag = untagged if new else etag_of
    return marketing(f"segment.{verb}", perform, always("D1"), etag=etag, payload=payload, tagged=not new)


ACTIONS = (
    _acting("create", _create, NewSegment),
    _acting("edit", _edit, NewSegment),
    _acting("delete", _delete, Nothing),
)
