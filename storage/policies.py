"""Policies and their versions in the database."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import col, select

from storage.database import Read, Write
from storage.records.document import canonical, digest, parse
from storage.records.policies import Policy, Rollout
from storage.tables.control import PolicyRow, PolicyVersionRow


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyHead:
    """One policy: which version is stable, which one was before it, and what is being rolled out."""

    key: str
    surface: str
    stable: int | None = None
    previous: int | None = None
    rollout: Rollout | None = None
    created_at: int = 0

    @property
    def etag(self) -> str:
        """What changes whenever the head does."""
        return digest(self)

    @property
    def in_service(self) -> tuple[int, ...]:
        """The versions that engines may serve, the stable one first."""
        versions = (self.stable, self.rollout.version if self.rollout else None)
        return tuple(dict.fromkeys(version for version in versions if version is not None))


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyVersion:
    """One immutable version; ``state`` is ``draft``, ``rollout``, ``stable``, ``previous`` or ``retired``."""

    key: str
    version: int
    state: str
    author: str
    note: str
    digest: str
    created_at: int
    document: Policy


def _head(row: PolicyRow) -> PolicyHead:
    return PolicyHead(
        key=row.key,
        surface=row.surface,
        stable=row.stable,
        previous=row.previous,
        rollout=parse(Rollout, row.rollout) if row.rollout else None,
        created_at=row.created_at,
    )


def _version(row: PolicyVersionRow) -> PolicyVersion:
    return PolicyVersion(
        key=row.key,
        version=row.version,
        state=row.state,
        author=row.author,
        note=row.note,
        digest=row.digest,
        created_at=row.created_at,
        document=parse(Policy, row.document),
    )


def heads(read: Read) -> list[PolicyHead]:
    """Return every policy, by key."""
    return [_head(row) for row in read.all(select(PolicyRow).order_by(col(PolicyRow.key)))]


def head(read: Read, key: str) -> PolicyHead | None:
    """Return one policy or None."""
    row = read.get(PolicyRow, key)
    return _head(row) if row else None


def versions(read: Read, key: str) -> list[PolicyVersion]:
    """Return a policy's versions, the newest first."""
    statement = (
        select(PolicyVersionRow).where(col(PolicyVersionRow.key) == key).order_by(col(PolicyVersionRow.version).desc())
    )
    return [_version(row) for row in read.all(statement)]


def version(read: Read, key: str, number: int) -> PolicyVersion | None:
    """Return one version or None."""
    row = read.get(PolicyVersionRow, (key, number))
    return _version(row) if row else None


def documents(read: Read, key: str, numbers: Sequence[int]) -> dict[int, Policy]:
    """Return the documents of some versions."""
    found = ((number, version(read, key, number)) for number in numbers)
    return {number: one.document for number, one in found if one is not None}


def save(write: Write, state: PolicyHead) -> None:
    """Insert or replace a policy's head, and restate its versions by it."""
    rollout = canonical(state.rollout) if state.rollout else None
    write.merge(
        PolicyRow(
            key=state.key,
            surface=state.surface,
            stable=state.stable,
            previous=state.previous,
            rollout=rollout,
            created_at=state.created_at,
        )
    )
    roles = {state.previous: "previous", state.stable: "stable"}
    if state.rollout:
        roles[state.rollout.version] = "rollout"
    for row in write.all(select(PolicyVersionRow).where(col(PolicyVersionRow.key) == state.key)):
        row.state = roles.get(row.version, "draft" if row.state == "draft" else "retired")
        write.add(row)
    write.flush()


def add_version(write: Write, key: str, *, document: Policy, author: str, note: str, at: int) -> PolicyVersion:
    """Write a draft under the next number."""
    newest = versions(write, key)
    number = newest[0].version + 1 if newest else 1
    row = PolicyVersionRow(
        key=key,
        version=number,
        document=canonical(document),
        digest=digest(document),
        state="draft",
        author=author,
        note=note,
        created_at=at,
    )
    write.add(row)
    write.flush()
    return _version(row)
