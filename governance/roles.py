"""Roles that the installation makes for itself: never more than their author may, never what no role may."""

from typing import Any

from governance.actions import Action, Ground, Nothing, Step, always, found, refuse, untagged
from governance.validity import key_problems
from storage import roles, tokens
from storage.database import Read, Write
from storage.errors import Conflict, Problem
from storage.records.access import ROLES, Scope
from storage.records.changes import Level
from storage.records.document import document, dump
from storage.records.roles import NEVER, Role
from storage.roles import StoredRole


@document
class NewRole:
    """A role, whole."""

    role: Role


def problems_of(role: Role, held: frozenset[Scope]) -> tuple[Problem, ...]:
    """Return what is wrong with a role, written by somebody who holds ``held``.

    >>> [one.field for one in problems_of(Role(key="x", scopes=(Scope.READ,)), frozenset())]
    ['scopes']
    """
    asked = frozenset(role.scopes)
    told = {
        "key": {"this is a built-in role; choose another": role.key not in ROLES},
        "title": {"use printable characters": role.title.isprintable()},
        "scopes": {
            "name at least one": bool(asked),
            "each may stand here once": len(role.scopes) == len(asked),
            "no role may carry " + " or ".join(sorted(NEVER)): not asked & NEVER,
            "you cannot give what you do not have: " + ", ".join(sorted(asked - held - NEVER)): asked - NEVER <= held,
        },
    }
    wrong = [
        Problem(field=name, message=message)
        for name, rules in told.items()
        for message, kept in rules.items()
        if not kept
    ]
    return (*key_problems(role.key), *wrong)


def holders(read: Read, key: str, now: int) -> tuple[str, ...]:
    """Return the people whose tokens of a role are alive."""
    alive = [one for one in tokens.listed(read) if one.revoked_at is None and (one.expires_at or now + 1) > now]
    return tuple(sorted({one.principal for one in alive if one.role == key}))


def _stored(read: Read, key: str) -> StoredRole:
    stored: StoredRole = found(roles.find(read, key), "role of the installation's own")
    return stored


def _etag(read: Read, key: str) -> str:
    stored = roles.find(read, key)
    return stored.etag if stored else ""


def _refuse(key: str, role: Role, ground: Ground) -> None:
    same = () if key == role.key else (Problem(field="role.key", message="differs from the key addressed"),)
    refuse((*same, *problems_of(role, ground.held)))


def _create(write: Write, key: str, payload: NewRole, ground: Ground) -> Step:
    _refuse(key, payload.role, ground)
    if roles.find(write, key) is not None:
        raise Conflict("there is a role of this key already")
    stored = roles.save(write, payload.role, previous=None, at=ground.at)
    return Step(before=None, after=dump(payload.role), etag=stored.etag)


def _edit(write: Write, key: str, payload: NewRole, ground: Ground) -> Step:
    before = _stored(write, key).role
    _refuse(key, payload.role, ground)
    if before == payload.role:
        raise Conflict("the role is like this already")
    stored = roles.save(write, payload.role, previous=before, at=ground.at)
    return Step(before=dump(before), after=dump(payload.role), etag=stored.etag)


def _delete(write: Write, key: str, _payload: Nothing, ground: Ground) -> Step:
    before = _stored(write, key).role
    if holding := holders(write, key, ground.at):
        raise Conflict(f"tokens of this role are alive ({len(holding)} people); revoke them first")
    roles.remove(write, key)
    return Step(before=dump(before), after=None)


def _create_level(_read: Read, _key: str, payload: NewRole) -> Level:
    """Tell that a role which may more than the one it resembles is a second person's matter."""
    return "D1" if frozenset(payload.role.scopes) - NEVER <= ROLES[payload.role.like] else "D2"


def _edit_level(read: Read, key: str, payload: NewRole) -> Level:
    """Tell that a wider role is a second person's matter; taking away is not."""
    wider = frozenset(payload.role.scopes) - frozenset(_stored(read, key).role.scopes)
    return "D2" if wider else "D1"


def _action(verb: str, **more: Any) -> Action:
    return Action(
        kind=f"role.{verb}",
        object_kind="role",
        scope=Scope.ADMIN,
        propose=Scope.ADMIN,
        approve=Scope.ADMIN,
        publishes=False,
        **more,
    )


ACTIONS = (
    _action("create", payload=NewRole, level=_create_level, perform=_create, etag=untagged),
    _action("edit", payload=NewRole, level=_edit_level, perform=_edit, etag=_etag, tagged=True),
    _action("delete", payload=Nothing, level=always("D1"), perform=_delete, etag=_etag, tagged=True),
)
