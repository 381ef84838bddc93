"""What a person was shown lately and why, in sentences that need no technical word."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from scoring_core.features.interests import item_tokens
from scoring_core.reasons import Words, named, sensitive, told, words
from storage import catalogue, revisions
from storage.database import Database, Read
from storage.lake import Lake
from storage.records.clock import DAY, MINUTE
from storage.records.decisions import Decision
from storage.records.items import Item
from storage.records.policies import Snapshot
from storage.records.requests import Traces

LATELY: Final = (DAY, 7 * DAY, 30 * DAY)
"""How far back is looked: further only where nearer there is too little, so that a long history costs no more."""
SHOWN, ITEMS, TRAITS, IDENTITIES, SNAPSHOTS = 5, 12, 4, 5, 4
LONGEST: Final = 256
"""The longest name that a person can state an interest by."""

HOW: Final[Mapping[str, str]] = {
    "model": "Chosen for you, from what you did and said here.",
    "fallback": "We were not sure enough what you would like, so this is what many people like.",
    "rules": "Put together by fixed rules of this place, not by a guess about you.",
    "default": "The same that everyone sees; nothing about you was used.",
}
"""What served a decision, as its reader is told."""
IMPERSONAL: Final = "Put in the order of what many people like, not by a guess about you."
"""What is told of a decision whose scorer knows nothing of anybody."""
KNOWS_NOBODY: Final = frozenset({"popular", "null", "thompson", "epsilon_greedy"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Trait:
    """Something that an item is known for, as an interest can name it."""

    name: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownItem:
    """One item that was shown, and why it was."""

    item: str
    title: str
    because: tuple[str, ...]
    traits: tuple[Trait, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One answer that was given to a person; ``more`` counts items that are not listed."""

    decision_id: str
    at: int
    place: str
    how: str
    items: tuple[ShownItem, ...]
    more: int
    simulated: bool


def label(name: str) -> tuple[str, str]:
    """Return an interest's name as people read it, and of what kind it is.

    >>> label("colour=red"), label("tag=new"), label("brand_name=Fjord")
    (('red', 'colour'), ('new', ''), ('Fjord', 'brand name'))
    """
    kind, _, value = name.partition("=")
    return named(value or kind), "" if kind == "tag" or not value else named(kind.replace("_", " "))


class Lately:
    """Reads what people were shown.

    Parameters
    ----------
    database, lake
        Where decisions and items are.
    """

    def __init__(self, database: Database, lake: Lake) -> None:
        self._database = database
        self._lake = lake
        self._snapshots: OrderedDict[int, Snapshot] = OrderedDict()

    def of(self, known: Traces, now: int) -> list[Seen]:
        """Return the latest answers that a person was given, the newest first."""
        with self._database.read() as read:
            return [self._seen(read, record) for record in self._records(read, known, now)]

    def one(self, known: Traces, decision_id: str) -> Decision | None:
        """Return one decision if it was made for this person, or None."""
        with self._database.read() as read:
            found = self._lake.decision(read, decision_id)
        return found if found is not None and found.subject in known.subjects else None

    def traits(self, item_id: str) -> tuple[Trait, ...]:
        """Return what an item is known for."""
        with self._database.read() as read:
            item = catalogue.item(read, item_id)
            secret = self._secret(read, "")
        return () if item is None else _traits(item, secret)

    def _records(self, read: Read, known: Traces, now: int) -> list[Decision]:
        found: list[Decision] = []
        for span in LATELY:
            found = [
                record
                for subject in known.subjects[:IDENTITIES]
                for record in self._lake.decisions(
                    read, start=now - span, end=now + MINUTE, subject=subject, limit=3 * SHOWN
                )
                if record.items
            ]
            if len(found) >= SHOWN:
                break
        return sorted(found, key=lambda record: -record.at)[:SHOWN]

    def _seen(self, read: Read, record: Decision) -> Seen:
        snapshot = self._snapshot(read, record.revision)
        items = {item: catalogue.item(read, item) for item in record.items[:ITEMS]}

        def title(item: str) -> str | None:
            known = items.get(item) or catalogue.item(read, item)
            return None if known is None else known.title

        said = replace(words(snapshot, record), titles=title)
        secret = self._secret(read, record.surface)
        return Seen(
            decision_id=record.decision_id,
            at=record.at,
            place=_place(snapshot, record),
            how=_how(record),
            items=tuple(
                ShownItem(item=item, title=_title(item, items[item]), because=because, traits=_of(items[item], secret))
                for item, because in zip(record.items[:ITEMS], _because(record, said), strict=False)
            ),
            more=max(0, len(record.items) - ITEMS),
            simulated=record.origin == "simulated",
        )

    def _secret(self, read: Read, surface: str) -> frozenset[str]:
        newest = self._snapshot(read, revisions.number(read))
        return frozenset() if newest is None else sensitive(newest.installation, surface)

    def _snapshot(self, read: Read, number: int) -> Snapshot | None:
        """Return a revision. It is kept for a while; pages are drawn side by side, so it may be gone at any time."""
        known = self._snapshots.get(number)
        if known is None and (known := revisions.load(read, number)) is not None:
            self._snapshots[number] = known
            while len(self._snapshots) > SNAPSHOTS:
                self._snapshots.popitem(last=False)
        return known


def _how(record: Decision) -> str:
    if record.served_by == "model" and record.scorer in KNOWS_NOBODY:
        return IMPERSONAL
    return HOW.get(record.served_by, HOW["rules"])


def _because(record: Decision, said: Words) -> Sequence[tuple[str, ...]]:
    return [tuple(dict.fromkeys(named(sentence, 200) for sentence in because)) for because in told(record, said)]


def _title(item_id: str, item: Item | None) -> str:
    return named(item.title if item is not None and item.title else item_id)


def _of(item: Item | None, secret: frozenset[str]) -> tuple[Trait, ...]:
    return () if item is None else _traits(item, secret)


def _traits(item: Item, secret: frozenset[str]) -> tuple[Trait, ...]:
    tokens = [name for name, _ in item_tokens(item) if len(name) <= LONGEST]
    names = [name for name in tokens if name.partition("=")[0] not in secret]
    return tuple(Trait(name=name, label=label(name)[0]) for name in names[:TRAITS])


def _place(snapshot: Snapshot | None, record: Decision) -> str:
    campaign = snapshot.campaigns.get(record.campaign or "") if snapshot is not None else None
    place = named(record.surface.replace("_", " "))
    return place if campaign is None else f"{place}, {named(campaign.name)}"
