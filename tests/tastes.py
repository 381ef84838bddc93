"""People who touch items of the kind that they like, and now and then others: a truth that a retriever can find."""

import numpy as np

from scoring_core.learning.interactions import Interactions
from scoring_core.live import Shelf
from scoring_core.shelf import build_shelf
from storage import catalogue
from storage.database import Database
from storage.lake import Lake
from storage.records.clock import DAY, SECOND
from storage.records.events import Event, EventType
from storage.records.items import Catalogue, Item
from storage.records.subjects import RECENT_DTYPE, ROLES, USER_DIMENSIONS, UserState

START = 1_700_000_000 * SECOND
KINDS = ("mug", "lamp", "scarf", "kite")
ITEMS, PEOPLE, DAYS = 60, 300, 30
EVENTS = {
    "impression": EventType(weight=0.0, role="shown"),
    "click": EventType(weight=1.0, role="interest"),
    "purchase": EventType(weight=3.0, role="commitment"),
}


def item(number: int) -> Item:
    kind = KINDS[number % len(KINDS)]
    return Item(
        item_id=f"t{number:03d}",
        title=f"{kind} number {number}",
        tags=(kind,),
        attributes={"kind": kind, "price": 2.0 + number % 5},
        created_at=START,
    )


def shelf(count: int = ITEMS) -> Shelf:
    return build_shelf(Catalogue(version=count, items=tuple(item(number) for number in range(count))))


def touches(seed: int = 1, *, people: int = PEOPLE, items: int = ITEMS, each: int = 12) -> Interactions:
    """Four of five touches are of the kind that the person likes, the lower numbers more often."""
    rng = np.random.Generator(np.random.PCG64(seed))
    person = np.repeat(np.arange(people), each)
    liked = np.where(rng.random(len(person)) < 0.8, person % len(KINDS), rng.integers(0, len(KINDS), len(person)))
    place = (rng.random(len(person)) ** 1.5 * (items // len(KINDS))).astype(np.int64)
    at = np.sort(START + (rng.random(len(person)) * DAYS * DAY).astype(np.int64))
    mixed = rng.permutation(len(person))
    return Interactions(
        person=person[mixed],
        ordinal=(place * len(KINDS) + liked)[mixed],
        at=at,
        weight=np.ones(len(person)),
        roles=np.where(rng.random(len(person)) < 0.3, ROLES["commitment"], ROLES["interest"]).astype(np.uint8),
        people=people,
        items=items,
    )


def somebody(
    *ordinals: int, roles: int = ROLES["interest"], now: int = START + DAYS * DAY, apart_h: int = 1
) -> UserState:
    """A person who touched these items one after the other, the last one an hour ago."""
    hours = np.arange(len(ordinals) - 1, -1, -1) * 3_600 * apart_h + 3_600
    recent = np.array(
        [(ordinal, roles, now // SECOND - int(hour)) for ordinal, hour in zip(ordinals, hours, strict=True)],
        dtype=RECENT_DTYPE,
    )
    nothing = np.zeros(USER_DIMENSIONS, dtype="<f4").tobytes()
    return UserState(vector=nothing, updated_at=now, events=len(ordinals), recent=recent.tobytes())


def tell(database: Database, lake: Lake) -> None:
    """Put the touches into the lake, as imported events, and their items into the catalogue."""
    known = touches()
    told = [
        Event(
            event_id=f"e{row}",
            type="purchase" if known.roles[row] & ROLES["commitment"] else "click",
            at=int(known.at[row]),
            received_at=int(known.at[row]),
            subject=f"s{known.person[row]}",
            item=item(int(known.ordinal[row])).item_id,
            origin="imported",
        )
        for row in range(len(known))
    ]
    with database.write() as write:
        catalogue.upsert(write, [item(number) for number in range(ITEMS)], now=START)
        staged = lake.stage(
            "events", replica="t", log="tastes", from_seq=1, to_seq=len(told), origin="imported", records=told
        )
        lake.register(write, staged, now=START)
