"""Frequency caps: what a person has been shown often enough."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from scoring_core.looking_up import look_up
from storage.records.caps import Cap
from storage.records.decisions import RANK_DTYPE, Decision
from storage.records.tallies import Tally

if TYPE_CHECKING:
    from scoring_core.live import Shelf

Ordinals = NDArray[np.int64]
Flags = NDArray[np.bool_]
Level = Literal["installation", "campaign", "policy"]

SEPARATOR = ":"
"""Stands between a cap's name and the value that it counts, in the name of a counter."""
LEAST_NUMBER = 16


@dataclass(frozen=True, slots=True, eq=False)
class PlannedCap:
    """A cap made ready: its ``name`` (the key, below its campaign's or policy's where it is theirs), its number in the
    store, where it holds, and, per attribute, the code of each catalogue ordinal's value (−1: none) and their texts."""

    name: str
    number: int
    level: Level
    cap: Cap
    surfaces: tuple[str, ...]
    campaigns: tuple[str, ...]
    codes: Ordinals | None = None
    texts: Mapping[int, str] | None = None

    def concerns(self, campaign: str | None) -> bool:
        """Tell whether the cap holds in a decision for ``campaign`` (on a surface where it holds)."""
        if campaign is None:
            return not self.campaigns and self.cap.per != "campaign"
        return not self.campaigns or campaign in self.campaigns

    def values(self, ordinals: Sequence[int], campaign: str | None) -> Sequence[int | None]:
        """Return the number of what each item counts as; None where it counts as nothing."""
        match self.cap.per:
            case "item":
                return ordinals
            case "attribute":
                codes = [-1] * len(ordinals) if self.codes is None else self.codes[list(ordinals)].tolist()
                return [None if code < 0 else code for code in codes]
            case "campaign":
                return [None if campaign is None else number_of(campaign)] * len(ordinals)
            case "any":
                return [0] * len(ordinals)

    def counter(self, value: int, *, shelf: "Shelf", campaign: str | None) -> str | None:
        """Return the name of a counter of this cap, None for one that no decision for ``campaign`` asks."""
        match self.cap.per:
            case "item":
                items = shelf.catalogue.items
                text = items[value].item_id if value < len(items) else None
            case "campaign":
                text = campaign if campaign is not None and number_of(campaign) == value else None
            case "attribute":
                text = (self.texts or {}).get(value)
            case "any":
                text = ""
        return None if text is None else f"{self.name}{SEPARATOR}{text}"


@dataclass(frozen=True, slots=True, eq=False)
class Quota:
    """How many rows of each attribute value a slate may hold: ``left`` by code, ``otherwise`` of every other one."""

    name: str
    codes: Ordinals
    left: Mapping[int, int]
    otherwise: int


class Held(msgspec.Struct, frozen=True, eq=False):
    """Which rows may still be shown (None: all), the names of the caps that held something back, and the counts that
    were looked at, for the record (None: they could not be had). ``room`` is how many slots may be filled at all, by
    which caps; ``quotas`` are how many of a kind."""

    kept: Flags | None = None
    caps: tuple[str, ...] = ()
    counts: Mapping[str, int] | None = None
    room: int | None = None
    narrow: tuple[str, ...] = ()
    quotas: tuple[Quota, ...] = ()


class Rationed(msgspec.Struct, frozen=True, eq=False):
    """What of the order caps leave: the rows, the pins, the slots, the names of all caps that held something back."""

    order: Ordinals
    pins: Mapping[int, int]
    slots: int
    caps: tuple[str, ...]


NOTHING_HELD = Held(counts={})


@lru_cache(maxsize=4_096)
def number_of(text: str) -> int:
    """Return a number from 16 up that stands for a text in the store, within 32 bits."""
    return max(int.from_bytes(blake2b(text.encode(), digest_size=4).digest(), "little"), LEAST_NUMBER)


def plan_cap(
    cap: Cap,
    level: Level,
    owner: str,
    shelf: "Shelf",
    *,
    surfaces: tuple[str, ...] = (),
    campaigns: tuple[str, ...] = (),
) -> PlannedCap:
    """Make a cap ready. ``owner`` is the campaign or policy that it stands in; ``surfaces`` and ``campaigns`` are where
    that one is, where the cap itself does not say."""
    name = cap.key if level == "installation" else f"{level}/{owner}/{cap.key}"
    codes, texts = _codes(cap.attribute, shelf) if cap.per == "attribute" else (None, None)
    return PlannedCap(
        name=name,
        number=number_of(name),
        level=level,
        cap=cap,
        surfaces=cap.surfaces or surfaces,
        campaigns=campaigns or cap.campaigns,
        codes=codes,
        texts=texts,
    )


def concerning(caps: Iterable[PlannedCap], surface: str | None, campaign: str | None) -> tuple[PlannedCap, ...]:
    """Return the caps that hold on a surface and for a campaign."""
    return tuple([each for each in caps if (not each.surfaces or surface in each.surfaces) and each.concerns(campaign)])


def hold(
    caps: tuple[PlannedCap, ...],
    ordinals: Ordinals,
    *,
    counts: Tally | None,
    shelf: "Shelf",
    campaign: str | None,
    slots: int,
    uncounted: Literal["serve", "hold"] = "serve",
) -> Held:
    """Hold back the rows whose counter has reached its cap, and say how many of the others a slate may take.

    ``caps`` are those that concern the decision. Where ``counts`` is None, nobody could say what was shown:
    ``uncounted`` decides whether the rows are served or held back all.
    """
    if not caps:
        return NOTHING_HELD
    if counts is None:
        return Held(np.zeros(len(ordinals), np.bool_), _names(caps)) if uncounted == "hold" else Held()
    kept: Flags | None = None
    looked: dict[str, int] = {}
    held: list[str] = []
    room, narrow, quotas = None, [], []
    for each in caps:
        limit = each.cap.limit
        if each.cap.per in ("any", "campaign"):
            (whole,) = each.values((0,), campaign)
            codes = np.array([-1 if whole is None else whole])
            _rows, left = _left(each, codes, counts, looked, shelf=shelf, campaign=campaign)
            remaining = min([limit, *left.values()])
            if remaining < slots:
                room = max(remaining, 0) if room is None else min(room, max(remaining, 0))
                narrow.append(each.name)
            continue
        codes = ordinals if each.cap.per == "item" else _codes_of(each, ordinals)
        rows, left = _left(each, codes, counts, looked, shelf=shelf, campaign=campaign)
        if not left and (limit >= slots or (limit and each.cap.per == "item")):
            continue
        spent = rows if limit else (codes >= 0).nonzero()[0]
        if len(spent):
            held.append(each.name)
            kept = np.ones(len(ordinals), np.bool_) if kept is None else kept
            kept[spent] = False
        if each.cap.per == "attribute" and min([limit, *left.values()]) < slots:
            quotas.append(Quota(each.name, codes, left, limit))
    return Held(kept, tuple(held), looked, room, tuple(narrow), tuple(quotas))


def ration(held: Held, order: Ordinals, pins: Mapping[int, int], slots: int) -> Rationed:
    """Return what of an order a slate may be chosen from: any choice of ``slots`` of its rows keeps every cap.

    Of a kind that may be shown r times more, the pinned rows and then the best r are left; exploration draws among
    these, so that propensities stay exact.
    """
    touched = list(held.caps)
    if held.room is not None and held.room < min(slots, len(order)):
        slots = held.room
        touched += held.narrow
        pins = {slot: row for slot, row in pins.items() if slot < slots}
        order = order[:0] if slots == 0 else order
    for quota in held.quotas:
        rows = [*pins.values(), *[row for row in order.tolist() if row not in set(pins.values())]]
        taken: dict[int, int] = {}
        fits = set()
        for row in rows:
            code = int(quota.codes[row])
            taken[code] = taken.get(code, 0) + 1
            if code < 0 or taken[code] <= quota.left.get(code, quota.otherwise):
                fits.add(row)
        if len(fits) < len(rows):
            order = np.array([row for row in order.tolist() if row in fits], dtype=np.int64)
            pins = {slot: row for slot, row in pins.items() if row in fits}
            touched.append(quota.name)
    return Rationed(order, pins, slots, tuple(dict.fromkeys(touched)))


def without(record: Decision, withheld: frozenset[str]) -> Decision:
    """Return ``record`` less the slots of ``withheld``, whose caps other decisions had reached meanwhile; what stands
    behind moves up."""
    stays = [place for place, item in enumerate(record.items) if item not in withheld]
    ranking = np.frombuffer(record.ranking, dtype=RANK_DTYPE)
    short = record.reason == "ok" or not stays
    return replace(
        record,
        served_by=record.served_by if stays else "default",
        reason="capped" if short else record.reason,
        ranking=ranking[stays].tobytes(),
        items=tuple([record.items[place] for place in stays]),
        propensity=tuple([record.propensity[place] for place in stays]),
        reasons=tuple([record.reasons[place] for place in stays]),
        withheld=tuple([item for item in record.items if item in withheld]),
    )


def numbered(counts: Mapping[str, int], caps: Iterable[PlannedCap], shelf: "Shelf") -> Tally:
    """Return the tally that a record's counts by name stand for; names of other caps and of unknown items are left
    out."""
    known = {each.name: each for each in caps}
    found = {}
    for counter, count in counts.items():
        name, _, text = counter.partition(SEPARATOR)
        cap = known.get(name)
        value = None if cap is None else shelf.ordinals.get(text) if cap.cap.per == "item" else number_of(text)
        if cap is not None and value is not None:
            found[cap.number, 0 if cap.cap.per == "any" else value] = count
    return Tally.of_counters(found)


def _left(
    cap: PlannedCap,
    codes: Ordinals,
    counts: Tally,
    looked: dict[str, int],
    *,
    shelf: "Shelf",
    campaign: str | None,
) -> tuple[list[int], dict[int, int]]:
    """Return the rows that were shown as often as may be, and how often more each code that was seen may be shown; what
    was looked at goes into ``looked``."""
    places, seen = look_up(counts.keys, counts.counts, cap.number, codes)
    spent: list[int] = []
    left: dict[int, int] = {}
    for row, code, count in zip(places.tolist(), codes[places].tolist(), seen.tolist(), strict=True):
        if count >= cap.cap.limit:
            spent.append(row)
        name = cap.counter(code, shelf=shelf, campaign=campaign)
        if name is not None:
            left[code] = cap.cap.limit - count
            looked[name] = count
    return spent, left


def _codes_of(cap: PlannedCap, ordinals: Ordinals) -> Ordinals:
    codes: Ordinals = np.full(len(ordinals), -1) if cap.codes is None else cap.codes[ordinals]
    return codes


def _codes(attribute: str, shelf: "Shelf") -> tuple[Ordinals, Mapping[int, str]]:
    """Return each ordinal's value of an attribute as a number, −1 for none, and the values' texts."""
    values: list[Any] = [item.attributes.get(attribute) for item in shelf.catalogue.items]
    numbers = {value: number_of(str(value)) for value in dict.fromkeys(values) if value is not None}
    codes = np.array([-1 if value is None else numbers[value] for value in values], dtype=np.int64)
    return codes, {number: str(value) for value, number in numbers.items()}


def _names(caps: tuple[PlannedCap, ...]) -> tuple[str, ...]:
    return tuple(each.name for each in caps)
