"""Rules: when something holds, pin, boost or exclude items."""

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Literal

from storage.records.document import document


@document
class Rule:
    """``when`` is a condition over the context, ``items`` one over item attributes. ``boost`` multiplies the score by
    ``factor``; ``pin`` puts the matching item at ``slot`` (1-based); ``exclude`` removes what matches."""

    key: str
    action: Literal["pin", "boost", "exclude"]
    priority: int = 0
    when: Mapping[str, Any] = field(default_factory=dict)
    items: Mapping[str, Any] = field(default_factory=dict)
    factor: float = 1.0
    slot: int = 1
