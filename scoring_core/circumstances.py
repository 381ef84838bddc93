"""What conditions may ask: the request's context, the person, the session, the time."""

from collections.abc import Mapping
from typing import Any

from scoring_core.live import Request
from storage.records.events import Scalar
from storage.records.subjects import UserState

Circumstances = Mapping[str, Any]


def circumstances(request: Request, user: UserState | None, plugins: Mapping[str, Scalar], now: int) -> Circumstances:
    """Return the circumstances of a decision: the context's names as they are, the rest under ``user``, ``session``,
    ``time`` and ``plugin``."""
    return request.context
