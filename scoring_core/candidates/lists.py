"""A bounded memory of lists that depend on nobody: the top N of one generation, made once and read many times."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Protocol, TypeVar

T = TypeVar("T")

MOST_LISTS = 1_024


class Tick(Protocol):
    """A number that grows."""

    value: float


class Ticks:
    """A number that nobody reads."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0.0


class Lists:
    """Keeps what is made for a key, at most ``most`` of them, the one longest unread forgotten first.

    A key names everything that a list was made from: the snapshot, the catalogue, the epoch of item features, the
    phase of expiry, the source. So a policy that flips, an item that is hidden or expires, or new statistics ask under
    another key at once; nothing is ever made invalid. Nothing of a person goes in.
    """

    def __init__(
        self, most: int = MOST_LISTS, *, hits: Tick | None = None, misses: Tick | None = None, gone: Tick | None = None
    ) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()
        self.hits: Tick = hits or Ticks()
        self.misses: Tick = misses or Ticks()
        self.gone: Tick = gone or Ticks()

    def __len__(self) -> int:
        return len(self._kept)

    def of(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what ``make`` gives, made at most once while the key is remembered."""
        try:
            found: T = self._kept[key]
            self._kept.move_to_end(key)
        except KeyError:
            self.misses.value += 1
            found = self._kept[key] = make()
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
                self.gone.value += 1
        else:
            self.hits.value += 1
        return found
