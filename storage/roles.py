"""The installation's own roles in the database."""

from collections.abc import Mapping
from dataclasses import dataclass

from storage.database import Read
from storage.edited import Edited
from storage.records.access import ROLES, Scope
from storage.records.roles import NEVER, Role
from storage.tables.access import RoleRow


@dataclass(frozen=True, slots=True)
class StoredRole:
    """A role with the tag of its present state, and what it was before its last edit."""

    role: Role
    etag: str
    updated_at: int
    previous: Role | None = None


_kept = Edited(RoleRow, Role, StoredRole)
listed, find, save, remove = _kept.listed, _kept.find, _kept.save, _kept.remove


def grants(read: Read) -> Mapping[str, frozenset[Scope]]:
    """Return what the holders of each role may do at most, built-in roles and own ones."""
    own = {stored.role.key: frozenset(stored.role.scopes) - NEVER for stored in listed(read)}
    return {**own, **ROLES}


def like(read: Read, key: str) -> str:
    """Return the built-in role whose menu the holders of a role see."""
    stored = None if key in ROLES else find(read, key)
    return stored.role.like if stored else key
