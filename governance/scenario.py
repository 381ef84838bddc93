"""What might be otherwise: control state with a version, a value or a whole change put in its place."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from governance.actions import Ground, found
from governance.kinds import action_of
from governance.snapshot import compile_snapshot
from governance.validity import policy_problems
from storage import changes, policies
from storage.database import Database
from storage.errors import Invalid, Problem
from storage.records.document import document, dump, parse
from storage.records.policies import Policy, Snapshot

ROLLING = frozenset({"policy.rollout", "rollout.start"})
"""The changes that bring a version to people step by step; tried as if they had reached everyone."""

Section = Literal["policies", "rules", "caps", "campaigns", "models"]


@document
class Scenario:
    """What is changed, in one or several of three ways.

    ``policy`` and ``version``: that version serves everyone on its surface. ``edits``: by section and key, the fields
    that are otherwise (RFC 7396: a value replaces, null removes; of a policy, in every version that is in service).
    ``change``: a proposed change, as if it were applied (a rollout: as if it had reached everyone).
    """

    policy: str | None = None
    version: int | None = None
    edits: Mapping[Section, Mapping[str, Any]] = field(default_factory=dict)
    change: str | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing is changed."""
        return self.policy is None and self.change is None and not any(self.edits.values())


class _Undone(Exception):
    """Takes back what was only tried."""


def resolved(database: Database, scenario: Scenario, *, now: int) -> "Otherwise":
    """Return what a scenario does to any revision.

    Raises
    ------
    Invalid, NotFound
        If nothing is changed, a version or a change does not exist, or the state of now would not stand it.
    """
    if scenario.empty:
        raise Invalid("a what-if changes something: name policy and version, edits, or a change")
    if (scenario.policy is None) != (scenario.version is None):
        message = "name both policy and version"
        raise Invalid(f"version: {message}", problems=(Problem(field="version", message=message),))
    chosen: tuple[str, int, Policy] | None = None
    patch: Mapping[str, Any] = {}
    if scenario.change is not None:
        with database.read() as read:
            change = found(changes.find(read, scenario.change), "change")
        if change.kind in ROLLING:
            scenario = replace(scenario, policy=change.object_key, version=int(change.payload["version"]))
        else:
            patch = _effect(database, change.kind, change.object_key, change.payload, now=now)
    if scenario.policy is not None and scenario.version is not None:
        with database.read() as read:
            version = found(policies.version(read, scenario.policy, scenario.version), "version of this policy")
        chosen = (scenario.policy, scenario.version, version.document)
    with database.read() as read:
        state = compile_snapshot(read, at=now, environment="")
    otherwise = Otherwise(chosen=chosen, patch=patch, edits=scenario.edits)
    drafted = otherwise.of(state)
    for key, policy in drafted.policies.items():
        for document_ in policy.versions.values():
            problems = tuple(policy_problems(document_, drafted.installation))
            if problems:
                where = f"policies.{key}.{problems[0].field}"
                raise Invalid(f"{where}: {problems[0].message}", problems=problems)
    return otherwise


@dataclass(frozen=True, slots=True, kw_only=True)
class Otherwise:
    """A scenario made ready: what it does to a revision."""

    chosen: tuple[str, int, Policy] | None = None
    patch: Mapping[str, Any] = field(default_factory=dict)
    edits: Mapping[Section, Mapping[str, Any]] = field(default_factory=dict)

    def of(self, snapshot: Snapshot) -> Snapshot:
        """Return a revision as it would have been.

        Raises
        ------
        Invalid
            If an edit names what is not there, or does not fit the schema.
        """
        if self.chosen is not None:
            key, number, policy = self.chosen
            state = found(snapshot.policies.get(key), "policy in this revision")
            state = replace(state, stable=number, rollout=None, versions={**state.versions, number: policy})
            snapshot = replace(snapshot, policies={**snapshot.policies, key: state})
        if not self.patch and not self.edits:
            return snapshot
        plain = merged(dump(snapshot), self.patch)
        for section, named in self.edits.items():
            _edit(plain, section, named)
        return parse(Snapshot, plain)


def merged(target: Any, patch: Any) -> Any:
    """Return ``target`` with a merge patch applied (RFC 7396).

    >>> merged({"a": 1, "b": {"c": 2}}, {"a": None, "b": {"d": 3}})
    {'b': {'c': 2, 'd': 3}}
    """
    if not isinstance(patch, Mapping):
        return patch
    whole = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            whole.pop(name, None)
        else:
            whole[name] = merged(whole.get(name), value)
    return whole


def difference(before: Any, after: Any) -> Any:
    """Return the merge patch that makes ``after`` of ``before``; both are mappings.

    >>> difference({"a": 1, "b": {"c": 2, "d": 3}}, {"a": 1, "b": {"c": 5}})
    {'b': {'d': None, 'c': 5}}
    """
    patch: dict[str, Any] = {name: None for name in before if name not in after}
    for name, value in after.items():
        old = before.get(name)
        if isinstance(value, Mapping) and isinstance(old, Mapping):
            inner = difference(old, value)
            if inner:
                patch[name] = inner
        elif name not in before or old != value:
            patch[name] = value
    return patch


def _edit(plain: dict[str, Any], section: Section, named: Mapping[str, Any]) -> None:
    held = plain[section]
    for key, edit in named.items():
        if section == "policies":
            if key not in held:
                raise _absent(section)
            versions = held[key]["versions"]
            held[key]["versions"] = {number: merged(each, edit) for number, each in versions.items()}
        elif edit is None:
            if held.pop(key, None) is None:
                raise _absent(section)
        else:
            known = {} if section == "models" else {"key": key}
            held[key] = edit if section == "models" else merged({**known, **held.get(key, {})}, edit)


def _absent(section: str) -> Invalid:
    message = "there is no such entry to change"
    return Invalid(f"edits.{section}: {message}", problems=(Problem(field=f"edits.{section}", message=message),))


def _effect(database: Database, kind: str, key: str, payload: Mapping[str, Any], *, now: int) -> Mapping[str, Any]:
    """Return as a patch what an action would do to the state of now: it is done, looked at and taken back."""
    action = action_of(kind)
    document_ = parse(action.payload, payload)
    kept: dict[str, Any] = {}
    try:
        with database.write() as write:
            before = dump(compile_snapshot(write, at=now, environment=""))
            action.perform(write, key, document_, Ground(at=now, author="what-if", reason="a rehearsal"))
            kept |= difference(before, dump(compile_snapshot(write, at=now, environment="")))
            raise _Undone
    except _Undone:
        return kept
