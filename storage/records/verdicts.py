"""What a check said over a stretch of time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from storage.records.findings import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckVerdict:
    """One check's verdict from ``since`` until ``seen``, when it was last said; ``sentence`` and ``figures`` are those
    of the last time."""

    check: str
    since: int
    seen: int
    verdict: Verdict
    sentence: str
    figures: Mapping[str, Any] = field(default_factory=dict)
