"""What every check promises: a name, how often it looks, and a look that says one of four words and why."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from storage.anchors import Anchors
from storage.database import Read
from storage.keys import Keys
from storage.records.findings import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a check may look at; its session is its own, so that a failed statement spoils no other check."""

    read: Read
    now: int
    home: Path
    keys: Keys
    anchors: Anchors


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a check found. ``sentence`` says it in words, with what to do where something is; nothing observed is
    ``unknown``, never a pass."""

    verdict: Verdict
    sentence: str
    figures: Mapping[str, Any] = field(default_factory=dict)


class Look(Protocol):
    """Look, and say what is found; an error is for the patrol to tell."""

    def __call__(self, ground: Ground, /) -> Finding:
        """Return the finding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check. ``question`` is what it answers; ``every_s`` is how often it looks."""

    name: str
    title: str
    question: str
    look: Callable[[Ground], Finding]
    every_s: float = 60.0


def unknown(why: str, **figures: Any) -> Finding:
    """Return that nothing can be said yet."""
    return Finding(verdict="unknown", sentence=why, figures=figures)


def gravest(verdicts: Mapping[str, Verdict]) -> Verdict:
    """Return the worst of several verdicts: harm, then a look, then not knowing.

    >>> gravest({"a": "pass", "b": "unknown"})
    'unknown'
    """
    order: tuple[Verdict, ...] = ("fail", "warn", "unknown", "pass")
    return min(verdicts.values(), key=order.index, default="unknown")
