"""Leases: who leads, with a token that grows with each holder and fences late writes."""

from sqlalchemy import text
from sqlmodel import select

from storage.database import Read, Write
from storage.tables.control import LeaseRow

_ACQUIRE = text(
    "INSERT INTO leases (name, holder, token, expires_at) VALUES (:name, :holder, 1, :expires_at) "
    "ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at, "
    "token = CASE WHEN leases.holder = excluded.holder AND leases.expires_at > :now "
    "THEN leases.token ELSE leases.token + 1 END "
    "WHERE leases.holder = excluded.holder OR leases.expires_at <= :now RETURNING token"
)
_RELEASE = text("UPDATE leases SET expires_at = 0 WHERE name = :name AND token = :token")


def acquire(write: Write, name: str, holder: str, *, now: int, ttl_us: int) -> int | None:
    """Take or renew a lease until ``now + ttl_us``; return its fencing token, or None if another holds it.

    Renewing in time keeps the token; every other way of getting the lease raises it. ``holder`` must name one run of
    one process.
    """
    token: int | None = write.execute(
        _ACQUIRE, {"name": name, "holder": holder, "now": now, "expires_at": now + ttl_us}
    ).scalar_one_or_none()
    return token


def holds(read: Read, name: str, token: int) -> bool:
    """Tell whether nobody took the lease since ``token`` was given.

    Asked within a write, nobody can take it before that write ends: this is the fence.
    """
    statement = select(LeaseRow.token).where(LeaseRow.name == name)
    if isinstance(read, Write):
        statement = statement.with_for_update(read=True)
    return bool(read.first(statement) == token)


def held(read: Read, name: str, *, now: int) -> bool:
    """Tell whether anybody holds a lease."""
    row = read.get(LeaseRow, name)
    return row is not None and row.expires_at > now


def release(write: Write, name: str, token: int) -> None:
    """Give a lease back before it ends; without effect if another has it by now."""
    write.execute(_RELEASE, {"name": name, "token": token})
