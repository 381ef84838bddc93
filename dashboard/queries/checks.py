"""Checks as a page reads them: the last word of each, and the stretches within a range."""

from collections.abc import Sequence
from dataclasses import dataclass

from governance.checks.check import Check
from governance.checks.roster import CHECKS
from storage import verdicts
from storage.database import Read
from storage.records.clock import SECOND
from storage.records.findings import Verdict
from storage.records.verdicts import CheckVerdict

GRAVITY: tuple[Verdict, ...] = ("fail", "warn", "unknown", "pass")
MISSED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One check: what it asks, what it said last (None: it never looked), and what before within the range, oldest
    first."""

    check: Check
    last: CheckVerdict | None
    stretches: tuple[CheckVerdict, ...]

    @property
    def verdict(self) -> Verdict:
        """The last word."""
        return self.last.verdict if self.last else "unknown"

    @property
    def sentence(self) -> str:
        """The last word's sentence."""
        return self.last.sentence if self.last else "It has not looked yet."

    def stale(self, now: int) -> bool:
        """Tell whether three looks are missing."""
        return self.last is None or now - self.last.seen > MISSED * max(self.check.every_s, 30.0) * SECOND


def lines(read: Read, *, start: int, end: int) -> tuple[Line, ...]:
    """Return every check, the gravest first."""
    last = verdicts.latest(read)
    found = [
        Line(
            check=check,
            last=last.get(check.name),
            stretches=tuple(
                one
                for one in reversed(verdicts.history(read, check.name, limit=200))
                if one.seen >= start and one.since < end
            ),
        )
        for check in CHECKS
    ]
    return tuple(sorted(found, key=lambda line: GRAVITY.index(line.verdict)))


def counted(found: Sequence[Line]) -> dict[Verdict, int]:
    """Return how many checks say each word."""
    return {word: sum(line.verdict == word for line in found) for word in GRAVITY}
