"""What a durable event teaches about its subject: one step of that person's state."""

from scoring_core.features.evidence import evidence, session_number
from scoring_core.live import Shelf
from storage.hot.protocol import Signal
from storage.records.events import Event, EventType
from storage.records.subjects import ROLES, USER_DIMENSIONS

NOWHERE = bytes(4 * USER_DIMENSIONS)
"""The vector of an event about no item."""


def signal_of(event: Event, subject: str, kind: EventType, shelf: Shelf, ordinal: int | None) -> Signal:
    """Return what a durable event teaches about its subject; ``ordinal`` is that of its item, if the shelf has it."""
    said = evidence(event, kind)
    at = min(event.at, event.received_at)
    if ordinal is None:
        return Signal(
            subject=subject,
            at=at,
            weight=0.0,
            half_life_s=kind.half_life_s,
            vector=NOWHERE,
            adds=said.adds,
            session=session_number(event.session),
            level=said.level,
        )
    return Signal(
        subject=subject,
        at=at,
        weight=said.weight,
        half_life_s=kind.half_life_s,
        vector=shelf.vectors[ordinal].tobytes(),
        tokens=shelf.tokens.rows[ordinal] if said.weight != 0.0 else b"",
        item=ordinal,
        roles=ROLES.get(kind.role, 0),
        adds=said.adds,
        session=session_number(event.session),
        level=said.level,
    )
