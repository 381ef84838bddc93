"""Alerts on their way: an outbox that is written with the alert and emptied by whoever delivers."""

from collections.abc import Sequence
from dataclasses import fields, replace

from sqlmodel import col, delete, select, update

from storage.database import Read, Write
from storage.records.alerts import Delivery
from storage.tables.alerts import DeliveryRow


def _delivery(row: DeliveryRow) -> Delivery:
    return Delivery(**{each.name: getattr(row, each.name) for each in fields(Delivery)})


def save(write: Write, delivery: Delivery) -> None:
    """Insert or replace a delivery."""
    write.merge(DeliveryRow(**{each.name: getattr(delivery, each.name) for each in fields(Delivery)}))
    write.flush()


def claim(write: Write, *, now: int, until: int, most: int) -> list[Delivery]:
    """Take what is due, so that nobody else does before ``until``; what was taken and never done comes again then."""
    due = (
        select(DeliveryRow)
        .where(col(DeliveryRow.state).in_(("pending", "sending")), col(DeliveryRow.next_at) <= now)
        .order_by(col(DeliveryRow.next_at), col(DeliveryRow.delivery_id))
        .limit(most)
    )
    taken = []
    for found in [_delivery(row) for row in write.all(due)]:
        mine = (
            update(DeliveryRow)
            .where(col(DeliveryRow.delivery_id) == found.delivery_id, col(DeliveryRow.next_at) == found.next_at)
            .values(state="sending", next_at=until, attempts=found.attempts + 1)
        )
        if write.execute(mine).rowcount:
            taken.append(replace(found, state="sending", next_at=until, attempts=found.attempts + 1))
    return taken


def of_alerts(read: Read, alert_ids: Sequence[str]) -> list[Delivery]:
    """Return the deliveries of some alerts, the oldest first."""
    if not alert_ids:
        return []
    statement = select(DeliveryRow).where(col(DeliveryRow.alert_id).in_(list(alert_ids)))
    return [_delivery(row) for row in read.all(statement.order_by(col(DeliveryRow.created_at)))]


def recent(read: Read, *, since: int, limit: int = 200) -> list[Delivery]:
    """Return deliveries since an instant, the latest first."""
    statement = select(DeliveryRow).where(col(DeliveryRow.created_at) >= since)
    return [_delivery(row) for row in read.all(statement.order_by(col(DeliveryRow.created_at).desc()).limit(limit))]


def forget(write: Write, *, before: int) -> int:
    """Delete deliveries of before an instant; return how many."""
    return int(write.execute(delete(DeliveryRow).where(col(DeliveryRow.created_at) < before)).rowcount)


def due(read: Read, *, now: int) -> bool:
    """Tell whether anything waits to be sent."""
    statement = select(DeliveryRow.delivery_id).where(
        col(DeliveryRow.state).in_(("pending", "sending")), col(DeliveryRow.next_at) <= now
    )
    return read.first(statement.limit(1)) is not None
