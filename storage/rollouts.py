"""Gated rollouts and their looks in the database."""

from collections.abc import Collection

from sqlmodel import col, func, select

from storage.database import Read, Write
from storage.records.document import canonical, digest, parse
from storage.records.rollouts import OPEN, GatedRollout, Look
from storage.tables.rollouts import LookRow, RolloutRow


def etag(rollout: GatedRollout) -> str:
    """Return what changes whenever a rollout does."""
    return digest(rollout)


def save(write: Write, rollout: GatedRollout) -> None:
    """Insert or replace a rollout."""
    write.merge(
        RolloutRow(
            rollout_id=rollout.rollout_id,
            policy=rollout.policy,
            state=rollout.state,
            created_at=rollout.created_at,
            document=canonical(rollout),
        )
    )
    write.flush()


def find(read: Read, rollout_id: str) -> GatedRollout | None:
    """Return one rollout or None."""
    row = read.get(RolloutRow, rollout_id)
    return parse(GatedRollout, row.document) if row else None


def listed(
    read: Read, *, policy: str | None = None, states: Collection[str] = (), limit: int = 100
) -> list[GatedRollout]:
    """Return rollouts, the newest first."""
    statement = select(RolloutRow)
    if policy is not None:
        statement = statement.where(RolloutRow.policy == policy)
    if states:
        statement = statement.where(col(RolloutRow.state).in_(states))
    order = (col(RolloutRow.created_at).desc(), col(RolloutRow.rollout_id).desc())
    return [parse(GatedRollout, row.document) for row in read.all(statement.order_by(*order).limit(limit))]


def current(read: Read, policy: str) -> GatedRollout | None:
    """Return the rollout of a policy that is not over, or None."""
    return next(iter(listed(read, policy=policy, states=OPEN, limit=1)), None)


def keep(write: Write, look: Look) -> None:
    """Keep a look, for good."""
    write.add(LookRow(rollout_id=look.rollout_id, seq=look.seq, at=look.at, step=look.step, document=canonical(look)))
    write.flush()


def next_seq(read: Read, rollout_id: str) -> int:
    """Return the number of the next look."""
    last = read.first(select(func.max(LookRow.seq)).where(LookRow.rollout_id == rollout_id))
    return (last or 0) + 1


def looks(read: Read, rollout_id: str, *, before: int | None = None, limit: int = 50) -> list[Look]:
    """Return looks, the newest first."""
    statement = select(LookRow).where(LookRow.rollout_id == rollout_id)
    if before is not None:
        statement = statement.where(col(LookRow.seq) < before)
    rows = read.all(statement.order_by(col(LookRow.seq).desc()).limit(limit))
    return [parse(Look, row.document) for row in rows]


def look(read: Read, rollout_id: str, seq: int) -> Look | None:
    """Return one look or None."""
    row = read.get(LookRow, (rollout_id, seq))
    return parse(Look, row.document) if row else None
