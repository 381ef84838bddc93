"""What the people of a story like: the truth behind their clicks, made up, and never a model under test."""

import math
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from fairlead.clicks import Shown
from fairlead.presets.open_bandit import ZONE
from storage.records.clock import moment
from storage.records.items import Item

BASE = -2.1
"""The log-odds of a click at the top of the page before all that follows."""
STRONG, SLOW = 1.0, -1.3
"""What strong and slow sellers add."""
OWN, PAIRED = 0.2, 0.35
"""The spread of what each item adds by itself, and for one kind of visitor."""
FURTHER_DOWN = 0.3
EVENING, WEEKEND = 0.35, 0.15
EVENINGS = range(18, 23)
SEED = 20_260


def strong(item: Item | None) -> bool:
    """Tell whether an item is one of the strong sellers, as the demo's rules call them."""
    value = item.attributes.get("item_feature_0") if item is not None else None
    return isinstance(value, int | float) and value > 0.0


class Tastes:
    """P(click | item, position, context, hour). It gives more clicks than the imported log has, so that a demo of a few
    hundred visits a day has something to tell; nothing measured on them says anything of lift.

    Parameters
    ----------
    items
        The catalogue by item id.
    now
        The clock: evenings and weekends of the shop's zone are livelier.
    """

    def __init__(self, items: Mapping[str, Item], *, now: Callable[[], int], seed: int = SEED) -> None:
        rng = random.Random(seed)
        self._own = {key: rng.gauss(0.0, OWN) for key in sorted(items)}
        self._seed, self._now = seed, now
        self._paired: dict[tuple[str, str], float] = {}
        self._zone = ZoneInfo(ZONE)

    def probabilities(self, rows: Sequence[Shown]) -> list[float]:
        """Return the probability of a click for each row."""
        lively = self._lively(moment(self._now()).astimezone(self._zone))
        return [1.0 / (1.0 + math.exp(-lively - self._odds(row))) for row in rows]

    def _odds(self, row: Shown) -> float:
        own = 0.0 if row.item is None else self._own.get(row.item.item_id, 0.0)
        kind = "" if row.item is None else str(row.item.attributes.get("item_feature_1", ""))
        liking = self._pair(str(row.context.get("user_feature_2", "")), kind)
        return BASE + own + liking + (STRONG if strong(row.item) else SLOW) - FURTHER_DOWN * (row.position - 1)

    def _pair(self, person: str, kind: str) -> float:
        """Return how much a kind of visitor likes a kind of item: a hash of both."""
        key = (person, kind)
        if key not in self._paired:
            self._paired[key] = random.Random(f"{self._seed}:{person}:{kind}").gauss(0.0, PAIRED)
        return self._paired[key]

    @staticmethod
    def _lively(at: datetime) -> float:
        return EVENING * (at.hour in EVENINGS) + WEEKEND * (at.weekday() >= 5)
