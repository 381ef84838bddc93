"""What was known of people at past moments: the hot store's own steps, taken again in the order of the log."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from scoring_core.features.profile import PARTS, settled
from scoring_core.features.statements import statement
from storage.hot.learning import learned, merged, stated, viewed
from storage.hot.protocol import Signal
from storage.records.profiles import PersonChange
from storage.records.subjects import UserState


class Look(NamedTuple):
    """Asks what was known of a subject at this place of the order; ``name`` is the asker's own."""

    subject: str
    name: str


Step = Signal | PersonChange | Look


def unfolded(steps: Iterable[Step]) -> Iterator[tuple[str, UserState | None]]:
    """Return for each look what was known, byte for byte what a hot store that took the same steps would give."""
    held: dict[str, bytes] = {}
    for step in steps:
        if isinstance(step, Look):
            packed = held.get(step.subject)
            yield step.name, viewed(packed) if packed else None
        elif isinstance(step, Signal):
            (held[step.subject],) = learned([held.get(step.subject, b"")], [[step]])
        elif step.kind == "stated":
            held[step.subject] = stated(held.get(step.subject, b""), statement(step))
        elif step.subject in held and step.subject != step.account:
            held[step.account] = merged(held.pop(step.subject), held.get(step.account, b""))


def completed(recorded: UserState, past: UserState | None) -> UserState:
    """Return what a record holds of a person with what its decision did not read, as rebuilt: only where the rebuilt
    vector is the recorded one to the bit."""
    known = settled(past, recorded.updated_at, reads=frozenset(PARTS))
    if known is None or known.vector != recorded.vector or known.events != recorded.events:
        return recorded
    told: dict[str, Any] = {part: getattr(recorded, part) or getattr(known, part) for part in PARTS}
    return replace(recorded, **told)
