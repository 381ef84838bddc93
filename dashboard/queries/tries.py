"""The rule that would try what stands out: cautious, for one campaign, and on half of the people only."""

import re
from collections.abc import Sequence
from typing import Any, Literal

from dashboard.queries.grids import Tile

Kind = Literal["hours", "items"]

STRONGEST = 2.0
WEAKEST = 1.05
KEPT_AS_BEFORE = 0.5


def strength(low: float, high: float) -> float:
    """Return by how much a rule boosts, or holds back: the cautious end of the lift's interval, within bounds.

    >>> strength(1.3, 1.9), strength(2.5, 4.0), strength(0.1, 0.7)
    (1.3, 2.0, 0.7)
    """
    factor = min(STRONGEST, max(WEAKEST, low)) if low > 1 else max(1 / STRONGEST, min(1 / WEAKEST, high))
    return round(factor, 2)


def key(campaign: str, name: str) -> str:
    """Return the key of a suggested rule: the same for the same tile, so that it is drafted once.

    >>> key("men", "Thu-18–24")
    'try-men-thu-18-24'
    """
    return re.sub(r"[^a-z0-9]+", "-", f"try-{campaign}-{name}".lower()).strip("-")[:64].rstrip("-")


def rule(
    kind: Kind, tile: Tile, *, low: float, high: float, campaign: str, zone: str, best: Sequence[str]
) -> dict[str, Any] | None:
    """Return the rule to try; ``best`` are the items that go first at good hours. None where there is no item."""
    items = list(best) if kind == "hours" else sorted({b for _, b in tile.members})
    if not items:
        return None
    name = f"{tile.row}-{tile.column}" if kind == "hours" else tile.column
    made: dict[str, Any] = {
        "key": key(campaign, name),
        "action": "boost",
        "name": f"Tried for {campaign}: {name}"[:200],
        "items": {"item_id": {"$in": items}},
        "factor": strength(low, high),
        "campaigns": [campaign],
        "arms": [{"key": "as-before", "share": KEPT_AS_BEFORE, "off": True}],
    }
    if kind == "hours":
        made["weekdays"] = sorted({int(a) for a, _ in tile.members})
        made["hours"] = sorted({int(b) for _, b in tile.members})
        made["zone"] = zone
    return made
