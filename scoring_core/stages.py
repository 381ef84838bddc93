"""How long each stage of a decision took."""

from collections.abc import Callable


class Stopwatch:
    """Laps in microseconds by name. ``laps`` is the record's ``stage_us``: the edge adds its own before it writes."""

    __slots__ = ("_clock_ns", "_last", "laps")

    def __init__(self, clock_ns: Callable[[], int]) -> None:
        self._clock_ns = clock_ns
        self._last = clock_ns()
        self.laps: dict[str, int] = {}

    def lap(self, stage: str) -> None:
        """Close a stage."""
        now = self._clock_ns()
        self.laps[stage] = (now - self._last) // 1_000
        self._last = now


def stopped() -> Stopwatch:
    """Return a watch that measures nothing, for a decision that is computed again."""
    return Stopwatch(lambda: 0)
