"""Compare what was sent and acknowledged with what is stored: pure, so that the comparison itself can be tested."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """``lost``: acknowledged, not stored. ``twice``: stored more than once. ``strange``: stored, never sent."""

    acknowledged: int
    stored: int
    lost: tuple[str, ...]
    twice: tuple[str, ...]
    strange: tuple[str, ...]

    @property
    def balanced(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.lost or self.twice or self.strange)


def settle(*, sent: Iterable[str], acknowledged: Iterable[str], stored: Iterable[str]) -> Account:
    """Settle an account of ids."""
    promised, counted, known = set(acknowledged), Counter(stored), set(sent)
    return Account(
        acknowledged=len(promised),
        stored=counted.total(),
        lost=tuple(sorted(promised - counted.keys())),
        twice=tuple(sorted(each for each, times in counted.items() if times > 1)),
        strange=tuple(sorted(counted.keys() - known)),
    )


def holes(numbers: Iterable[int]) -> tuple[int, ...]:
    """Return the numbers after which a journal does not go on by one, from 1."""
    before, found = 0, []
    for number in numbers:
        if number != before + 1:
            found.append(before)
        before = number
    return tuple(found)


def not_at_the_end(answered: Iterable[str], stored: Iterable[str]) -> tuple[str, ...]:
    """Return what was answered and not stored though something answered later was: more than the last group commit
    went missing."""
    known = set(stored)
    order = list(answered)
    last = max((place for place, each in enumerate(order) if each in known), default=-1)
    return tuple(each for each in order[: last + 1] if each not in known)
