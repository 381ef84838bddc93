"""What is known of a person who consented."""

from dataclasses import dataclass

USER_DIMENSIONS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class UserState:
    """Decayed interests as one vector: float32 little-endian bytes of ``USER_DIMENSIONS``, as of ``updated_at``
    (microseconds UTC), fading with ``half_life_s``; ``events`` counts what went in."""

    vector: bytes
    updated_at: int
    events: int
