"""Decisions to be replayed, and every value that is one bit away from what they hold."""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from msgspec.structs import fields

from scoring_core.live import Live
from scoring_core.replay import ReplayVerdict, replay
from scoring_core.scorers.thompson import ThompsonScorer
from storage.records.campaigns import Campaign
from storage.records.decisions import Decision
from storage.records.policies import ConfidenceRule, Exploration, PolicyState, Rollout, Source
from storage.records.rules import Rule
from tests.scoring_core.world import Consent, decided, policy, request, world

DOCUMENT = policy(
    confidence=ConfidenceRule(threshold=0.0),
    exploration=Exploration(epsilon=0.3),
    filters={"price": {"$lt": 6}},
    rules=(
        Rule(key="lift", action="boost", items={"kind": "shoe"}, factor=1.25),
        Rule(key="first", action="pin", when={"mood": "calm"}, items={"item_id": "i4"}, slot=2),
    ),
)
ROLLING = {
    "home": PolicyState(
        key="home",
        surface="home",
        stable=1,
        rollout=Rollout(version=2, percent=50.0, seed="s"),
        versions={1: DOCUMENT, 2: replace(DOCUMENT, sources=(Source(name="popular", quota=9),))},
    )
}
CAMPAIGNS = {"c": Campaign(key="c", name="C", surfaces=("home",), status="running", holdout=0.01)}
LIVE = world(policies=ROLLING, campaigns=CAMPAIGNS)
MODEL = LIVE.models["ranker"]


def again(record: Decision, live: Live = LIVE, **changes: Any) -> ReplayVerdict:
    known: dict[str, Any] = {
        "snapshot": live.snapshot,
        "model": live.models["ranker"] if record.model is not None else None,
        "shelf": live.shelf,
        "items": live.items,
    }
    return replay(record, **{**known, **changes})


def flips(value: Any) -> Iterator[Any]:
    """Give every value that is one bit away (of texts and numbers a fair choice of them)."""
    match value:
        case bool():
            yield not value
        case int():
            yield from (value ^ (1 << bit) for bit in range(0, 62, 3))
        case float():
            (bits,) = struct.unpack("<Q", struct.pack("<d", value))
            yield from (struct.unpack("<d", struct.pack("<Q", bits ^ (1 << bit)))[0] for bit in range(64))
        case bytes():
            for at in range(len(value)):
                yield from (value[:at] + bytes([value[at] ^ (1 << bit)]) + value[at + 1 :] for bit in range(8))
        case str():
            yield from (value[:at] + chr(ord(value[at]) ^ 1) + value[at + 1 :] for at in range(len(value)))
        case tuple():
            for at, each in enumerate(value):
                yield from ((*value[:at], other, *value[at + 1 :]) for other in flips(each))
        case Mapping():
            for key, each in value.items():
                yield from ({**value, key: other} for other in flips(each))


DRAWING = world(
    policy(
        exploration=Exploration(epsilon=0.1),
        sources=(Source(name="plugin", model="picks", quota=4), Source(name="popular", quota=5)),
        rules=(Rule(key="sunny", action="boost", when={"plugin.sky.hours": {"$gt": 9}}, factor=1.5),),
    ),
    scorer=ThompsonScorer(),
)
"""A sampling scorer over what plugins said and found."""

STORED = tuple(field.name for field in fields(Decision) if field.name != "stage_us")
RECORDS = {
    "model": decided(LIVE, request(campaign="c")),
    "sources": decided(LIVE, request(subject="somebody else", candidates=None)),
    "unknown user": decided(LIVE, known=False),
    "refused": decided(world(consent=Consent(lease=False), policies=ROLLING, campaigns=CAMPAIGNS)),
    "fallback": decided(world(replace(DOCUMENT, confidence=ConfidenceRule(threshold=1.0)))),
    "plugins": decided(
        DRAWING,
        request(candidates=None),
        plugins={"sky.hours": 12.5, "sky.grey": False, "sky.name": "cirrus"},
        brought={"picks": ("i3", "i5", "elsewhere")},
    ),
}
WORLDS = {"plugins": DRAWING, "fallback": world(replace(DOCUMENT, confidence=ConfidenceRule(threshold=1.0)))}
