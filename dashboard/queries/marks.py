"""What happened, to be drawn on charts: flips, kill switches, restarts."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from dashboard.span import Span
from storage import receipts, revisions
from storage.database import Read
from storage.records.policies import PolicyState, Snapshot

LOOKED_BACK = 24
"""So many revisions are looked through at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Something that happened at an instant and may explain a change."""

    at: int
    text: str


def _served(state: PolicyState | None) -> str:
    if state is None or (state.rollout is None and state.stable is None):
        return "to nobody"
    if state.rollout is not None:
        return f"v{state.rollout.version} at {state.rollout.percent:g} %"
    return f"v{state.stable} to everyone"


def between(old: Snapshot, new: Snapshot) -> tuple[Mark, ...]:
    """Return what the newer of two revisions changed in what people are served."""
    texts = [
        f"{key} {_served(new.policies.get(key))}"
        for key in sorted(old.policies.keys() | new.policies.keys())
        if _served(old.policies.get(key)) != _served(new.policies.get(key))
    ]
    if old.kill_switch.on != new.kill_switch.on:
        texts.append(f"kill switch {'on' if new.kill_switch.on else 'off'}")
    return tuple(Mark(at=new.at, text=text) for text in texts)


def flips(read: Read, *, span: Span) -> list[Mark]:
    """Return the flips of a range, as far back as is looked."""
    newest = revisions.number(read)
    chain: list[Snapshot] = []
    for number in range(newest, max(0, newest - LOOKED_BACK), -1):
        found = revisions.load(read, number)
        if found is None:
            break
        chain.append(found)
        if found.at < span.start:
            break
    if chain and chain[-1].revision == 1:
        chain.append(Snapshot(revision=0, at=0))
    return [mark for new, old in pairwise(chain) for mark in between(old, new)]


def marks(read: Read, *, span: Span, most: int = 8) -> tuple[Mark, ...]:
    """Return what happened within a range, the newest few, in order of time."""
    found = [
        Mark(at=one.started_at, text=f"{one.replica} started") for one in receipts.receipts(read) if one.started_at
    ]
    found += flips(read, span=span)
    inside = sorted((mark for mark in found if span.start <= mark.at < span.end), key=lambda mark: mark.at)
    return apart(inside, span.width // 30)[-most:]


def apart(found: Sequence[Mark], least_us: int) -> tuple[Mark, ...]:
    """Put marks that are too close to be read apart together: the last one, and how many came just before it.

    >>> [one.text for one in apart([Mark(at=0, text="a"), Mark(at=1, text="b"), Mark(at=9, text="c")], 5)]
    ['b, 1 before', 'c']
    """
    groups: list[list[Mark]] = []
    for mark in found:
        if groups and mark.at - groups[-1][0].at < least_us:
            groups[-1].append(mark)
        else:
            groups.append([mark])
    return tuple(
        Mark(at=group[-1].at, text=group[-1].text + (f", {len(group) - 1} before" if len(group) > 1 else ""))
        for group in groups
    )
