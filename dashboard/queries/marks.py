"""What happened, to be drawn on charts: flips, kill switches, restarts."""

from dataclasses import dataclass

from dashboard.span import Span
from storage import receipts, revisions
from storage.database import Read


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Something that happened at an instant and may explain a change."""

    at: int
    text: str


def marks(read: Read, *, span: Span, most: int = 8) -> tuple[Mark, ...]:
    """Return what happened within a range, the newest few, in order of time."""
    found = [
        Mark(at=one.started_at, text=f"{one.replica} started") for one in receipts.receipts(read) if one.started_at
    ]
    current = revisions.load(read)
    if current is not None:
        if current.kill_switch.on and current.kill_switch.since:
            found.append(Mark(at=current.kill_switch.since, text="kill switch on"))
        found += [
            Mark(at=state.rollout.started_at, text=f"{key} v{state.rollout.version} at {state.rollout.percent:g} %")
            for key, state in current.policies.items()
            if state.rollout is not None and state.rollout.started_at
        ]
    inside = sorted((mark for mark in found if span.start <= mark.at < span.end), key=lambda mark: mark.at)
    return tuple(inside[-most:])
