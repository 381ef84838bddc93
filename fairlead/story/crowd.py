"""The people of a story: who they are, when they come, and what they do with what they are shown."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from fairlead.browsing import device
from fairlead.clicks import Shown
from fairlead.presets import synthetic
from fairlead.presets.open_bandit import SURFACE
from fairlead.story.tastes import Tastes
from storage.database import Database
from storage.errors import Unavailable
from storage.lake import Lake
from storage.records.clock import HOUR, SECOND
from storage.records.events import Scalar
from storage.records.items import Item

PEOPLE = 1_200
ANONYMOUS = 0.05
BUSY = (2, 1, 1, 1, 1, 2, 4, 6, 6, 5, 5, 6, 8, 6, 5, 5, 6, 7, 9, 11, 12, 11, 8, 4)
"""How visits spread over the hours of the shop's day."""
_LOG = """
SELECT campaign, context, count(*) FROM decisions WHERE origin = 'imported' OR replica = $made_up
GROUP BY ALL ORDER BY ALL
"""

Context = Mapping[str, Scalar]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Contexts of the log, each with how often it was there, and the values of each attribute, commonest first."""

    contexts: tuple[tuple[str, Context], ...]
    weights: tuple[int, ...]
    values: Mapping[str, tuple[str, ...]]

    def value(self, attribute: str, place: int) -> str:
        """Return the value of an attribute that is so common: 0 the commonest, -1 the rarest."""
        return self.values[attribute][place]


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Somebody opens the page."""

    at: int
    subject: str | None
    campaign: str
    context: Context


def read_contexts(database: Database, lake: Lake) -> Known:
    """Read who came, from the imported log, or from the synthetic one where nothing was imported.

    Raises
    ------
    Unavailable
        When the lake holds neither.
    """
    with database.read() as read, lake.connect(read) as duck:
        rows = duck.execute(_LOG, {"made_up": synthetic.REPLICA}).fetchall()
    if not rows:
        raise Unavailable("the lake holds no logged decisions to draw from; run `fairlead import open-bandit`")
    contexts = tuple((str(campaign), orjson.loads(context or "{}")) for campaign, context, _ in rows)
    counted: dict[str, Counter[str]] = {}
    for (_, context), (*_, number) in zip(contexts, rows, strict=True):
        for name, value in context.items():
            counted.setdefault(name, Counter())[str(value)] += number
    values = {name: tuple(value for value, _ in found.most_common()) for name, found in counted.items()}
    return Known(contexts=contexts, weights=tuple(row[2] for row in rows), values=values)


def newcomer(context: Context, said: Context) -> Context:
    """Return the context of somebody of whom ``said`` holds."""
    return {**context, **said}


class Crowd:
    """Comes and clicks.

    Parameters
    ----------
    logged
        Who may come.
    items
        The catalogue by item id.
    tastes
        What they like.
    seed
        Where chance comes from: who comes in an hour depends on it and on the hour alone.
    per_day
        How many visits a day has, on average.
    """

    def __init__(self, logged: Known, *, items: Mapping[str, Item], tastes: Tastes, seed: int, per_day: int) -> None:
        self.logged, self._items, self._tastes = logged, items, tastes
        self._seed, self._rng = seed, random.Random(seed)
        self._per_hour = per_day / sum(BUSY)
        self._people = [self._drawn(f"guest-{number:04d}") for number in range(PEOPLE)]
        self._newcomers: list[tuple[str | None, str, Context]] = []
        self._share = 0.0
        self.counts: Counter[str] = Counter()

    def _drawn(self, subject: str | None, said: Context | None = None) -> tuple[str | None, str, Context]:
        ((campaign, context),) = self._rng.choices(self.logged.contexts, self.logged.weights)
        return subject, campaign, newcomer(context, said or {})

    def shift(self, said: Context, share: float) -> None:
        """Let ``share`` of all visits be newcomers from now on, of whom ``said`` holds."""
        self._newcomers = [self._drawn(f"newcomer-{number:04d}", said) for number in range(PEOPLE)]
        self._share = share

    def visits(self, start: int, end: int, *, hour: int) -> list[Visit]:
        """Return who comes in [start, end), which lies in one hour of the shop's day, in order."""
        self._rng = random.Random(f"{self._seed}:{start}")
        expected = self._per_hour * BUSY[hour] * (end - start) / HOUR
        number = int(expected) + (self._rng.random() < expected % 1.0)
        return [self._visit(at) for at in sorted(self._rng.randrange(start, end) for _ in range(number))]

    def _visit(self, at: int) -> Visit:
        new = self._rng.random() < self._share
        if self._rng.random() < ANONYMOUS:
            subject, campaign, context = self._drawn(None)
        else:
            subject, campaign, context = self._rng.choice(self._newcomers if new else self._people)
        return Visit(at=at, subject=subject, campaign=campaign, context=context)

    def asks(self, visit: Visit, slots: int) -> dict[str, Any]:
        """Return the request of a visit."""
        self.counts["visits"] += 1
        asked = {"surface": SURFACE, "campaign": visit.campaign, "slots": slots, "context": dict(visit.context)}
        known = {} if visit.subject is None else {"subject": visit.subject, "session": _session(visit)}
        return asked | known

    def does(self, visit: Visit, answer: Mapping[str, Any], *, until: int) -> list[dict[str, Any]]:
        """Return the events of a visit: every item is seen, some are clicked, all before ``until``."""
        slate: Sequence[tuple[str, int]] = [(entry["item"], entry["rank"]) for entry in answer["items"]]
        shown = [
            Shown(campaign=visit.campaign, position=rank, context=visit.context, item=self._items.get(item))
            for item, rank in slate
        ]
        did = [("impression", item, visit.at + SECOND) for item, _ in slate]
        for (item, rank), chance in zip(slate, self._tastes.probabilities(shown), strict=True):
            if self._rng.random() < chance:
                did.append(("click", item, visit.at + (2 + 3 * rank) * SECOND))
        self.counts["clicks"] += len(did) - len(slate)
        return [
            self._event(visit, kind, item, min(at, until)) | {"decision_id": answer["decision_id"]}
            for kind, item, at in did
        ]

    def _event(self, visit: Visit, kind: str, item: str, at: int) -> dict[str, Any]:
        known: dict[str, Any] = {}
        if visit.subject is not None:
            held = {"device": device(visit.subject)}
            known = {"subject": visit.subject, "session": _session(visit), "properties": held}
        return {
            "event_id": str(UUID(int=self._rng.getrandbits(128), version=4)),
            "type": kind,
            "at": at,
            "item": item,
            "surface": SURFACE,
            "campaign": visit.campaign,
            **known,
        }


def _session(visit: Visit) -> str:
    return f"{visit.subject}-{visit.at // HOUR}"
