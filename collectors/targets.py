"""Whom to ask: replicas one by one, as they registered themselves, never a load balancer."""

from dataclasses import dataclass

from storage import receipts
from storage.database import Read
from storage.records.clock import MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A replica and where it answers."""

    replica: str
    url: str


def targets(read: Read, *, now: int, within_us: int = MINUTE) -> list[Target]:
    """Return the replicas that sent a receipt lately."""
    found = receipts.registered(read, now, within_us)
    return [Target(replica=receipt.replica, url=receipt.url.rstrip("/")) for receipt in found]
