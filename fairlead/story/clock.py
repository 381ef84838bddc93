"""The one clock that all parts of a story go by."""


class StoryClock:
    """A clock that stands until it is moved, and never goes back.

    Parameters
    ----------
    at
        Where it begins, microseconds UTC.
    """

    def __init__(self, at: int) -> None:
        self._at = at

    def now(self) -> int:
        """Return where it stands."""
        return self._at

    def to(self, at: int) -> None:
        """Move it on; a moment that has passed leaves it where it is."""
        self._at = max(self._at, at)
