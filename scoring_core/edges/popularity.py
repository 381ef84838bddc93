"""Item features that move with events: counts, and how popular an item is now, published as numbered epochs.

Popularity is a sum of event weights that fades by half in a day, kept by forward decay: weights grow with time
against a landmark, so that nothing else has to be touched when one item is, and the order of items is exact at any
moment; every keyframe moves the landmark. Trend is the same sum fading in an hour over the one fading in a day, as
rates: 1 means steady.

References
----------
Cormode, Shkapenyuk, Srivastava, Xu, Forward Decay: A Practical Time Decay Model for Streaming Systems, ICDE 2009.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from scoring_core.epochs import fill
from scoring_core.live import ItemFeatures
from storage.records.clock import DAY, HOUR
from storage.records.events import ITEM_STATS, ItemEpoch

SLOW_US = DAY
FAST_US = HOUR
PRIOR_IMPRESSIONS = 100.0
"""How many impressions at the overall click rate an item starts with, so that few clicks do not make a rate."""
KEYFRAME_EVERY = 60
LANDMARK_MAX_US = 6 * HOUR
"""How far the landmark may lie back: weights grow to 2^6 at most, far from the end of a double."""

_IMPRESSIONS, _CLICKS, _POPULARITY, _CTR, _TREND = range(len(ITEM_STATS))
Rows = NDArray[np.float64]


class Popularity:
    """The statistics of one replica. ``note`` gathers, ``publish`` makes an epoch of what was gathered.

    What an epoch holds is all there is: ``restore`` continues from rows alone. The fast sum lives in no column, so it
    is recovered from popularity and trend.
    """

    def __init__(self, items: int, *, now: int) -> None:
        self.epoch = 0
        self.landmark = now
        self._values = np.zeros((items, len(ITEM_STATS)))
        self._slow = np.zeros(items)
        self._fast = np.zeros(items)
        self._touched: set[int] = set()
        self._since_keyframe = KEYFRAME_EVERY

    def resize(self, items: int) -> None:
        """Make room for items that the catalogue gained."""
        more = items - len(self._values)
        if more > 0:
            self._values = np.vstack([self._values, np.zeros((more, len(ITEM_STATS)))])
            self._slow = np.concatenate([self._slow, np.zeros(more)])
            self._fast = np.concatenate([self._fast, np.zeros(more)])

    def note(self, ordinal: int, kind: str, weight: float, at: int) -> None:
        """Gather one event about an item; ``at`` is event time. An event of weight 0 or less makes nothing popular."""
        if ordinal >= len(self._values):
            self.resize(ordinal + 1)
        if kind == "impression":
            self._values[ordinal, _IMPRESSIONS] += 1.0
        elif kind == "click":
            self._values[ordinal, _CLICKS] += 1.0
        if weight > 0.0:
            if at - self.landmark > LANDMARK_MAX_US:
                self._move_landmark(at)
                self.keyframe_next()
            ahead = at - self.landmark
            self._slow[ordinal] += weight * 2.0 ** (ahead / SLOW_US)
            self._fast[ordinal] += weight * 2.0 ** (max(ahead, -40 * FAST_US) / FAST_US)
        self._touched.add(ordinal)

    def waiting(self) -> bool:
        """Tell whether anything was gathered since the last epoch."""
        return bool(self._touched)

    def publish(self, now: int) -> tuple[ItemEpoch, ItemFeatures]:
        """Make the next epoch; every 60th, and the first, is a keyframe."""
        self.epoch += 1
        keyframe = self._since_keyframe >= KEYFRAME_EVERY or now - self.landmark > LANDMARK_MAX_US
        if keyframe:
            self._move_landmark(now)
            rows = np.flatnonzero((self._values != 0.0).any(axis=1) | (self._slow != 0.0))
            self._since_keyframe = 0
        else:
            rows = np.array(sorted(self._touched), dtype=np.intp)
        self._since_keyframe += 1
        self._touched.clear()
        self._derive(rows)
        epoch = ItemEpoch(
            epoch=self.epoch,
            at=now,
            keyframe=keyframe,
            rows={int(row): tuple(self._values[row].tolist()) for row in rows},
        )
        return epoch, ItemFeatures(epoch=self.epoch, values=self._values.copy())

    def keyframe_next(self) -> None:
        """Let the next epoch hold everything: the one before did not reach the log."""
        self._since_keyframe = KEYFRAME_EVERY

    def features(self) -> ItemFeatures:
        """Return the state as of the last epoch."""
        return ItemFeatures(epoch=self.epoch, values=self._values.copy())

    def restore(self, epochs: Iterable[ItemEpoch]) -> None:
        """Continue from a keyframe and what followed it; the next epoch is a keyframe again."""
        landmark = self.landmark
        for epoch in epochs:
            if epoch.keyframe:
                landmark = epoch.at
            self.epoch = epoch.epoch
            self.resize(max(epoch.rows, default=-1) + 1)
            fill(self._values, epoch)
        self.landmark = landmark
        self._slow = self._values[:, _POPULARITY].copy()
        self._fast = self._slow * self._values[:, _TREND] * (FAST_US / SLOW_US)
        self._since_keyframe = KEYFRAME_EVERY

    def _move_landmark(self, now: int) -> None:
        passed = max(now - self.landmark, 0)
        self._slow *= 2.0 ** (-passed / SLOW_US)
        self._fast *= 2.0 ** (-passed / FAST_US)
        self.landmark = max(now, self.landmark)

    def _derive(self, rows: NDArray[np.intp]) -> None:
        impressions, clicks = self._values[:, _IMPRESSIONS], self._values[:, _CLICKS]
        shown = float(impressions.sum())
        overall = float(clicks.sum()) / shown if shown > 0.0 else 0.0
        self._values[rows, _POPULARITY] = self._slow[rows]
        self._values[rows, _CTR] = np.minimum(
            (clicks[rows] + PRIOR_IMPRESSIONS * overall) / (impressions[rows] + PRIOR_IMPRESSIONS), 1.0
        )
        slow_rate = self._slow[rows] / SLOW_US
        fast_rate = self._fast[rows] / FAST_US
        self._values[rows, _TREND] = np.divide(
            fast_rate, slow_rate, out=np.zeros_like(slow_rate), where=slow_rate > 0.0
        )
