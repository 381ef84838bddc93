"""Reasons of the person are told only where they are so."""

from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring_core.because import LEAST_DROP, drops
from scoring_core.decide import decide
from scoring_core.explore import seeded
from scoring_core.features.interests import token
from scoring_core.gate import admit
from scoring_core.live import Facts, Live
from scoring_core.reasons import told, words
from scoring_core.replay import replay
from storage.records.clock import DAY
from storage.records.decisions import Decision
from storage.records.items import Catalogue
from storage.records.policies import Attribute, ConfidenceRule, Exploration, Installation, Surface
from storage.records.subjects import INTEREST_DTYPE, RECENT_DTYPE, ROLES, UserState
from tests.scoring_core.world import NOW, catalogue, policy, request, user, world

ASKED = {"because": "", "interest": ""}


def live_with(reasons: Any = ASKED, *, sensitive: bool = False, **more: Any) -> Live:
    surface = Surface(key="home", context={"kind": Attribute(type="string", sensitive=sensitive)}, reasons=reasons)
    document = policy(
        confidence=ConfidenceRule(threshold=0.0, when_uncalibrated="model"), exploration=Exploration(epsilon=0.0)
    )
    return world(document, installation=Installation(surfaces={"home": surface}), **more)


def person(
    live: Live, *, looked_at: str = "i3", likes: dict[str, float] | None = None, role: str = "interest"
) -> Facts:
    ordinal = live.shelf.ordinals[looked_at]
    recent = np.array([(ordinal, ROLES[role], NOW // 1_000_000)], dtype=RECENT_DTYPE)
    rows = np.zeros(len(likes or {}), dtype=INTEREST_DTYPE)
    for place, (name, score) in enumerate((likes or {}).items()):
        rows[place]["token"], rows[place]["stated"] = token(name), score
    known = replace(
        user(), vector=live.shelf.vectors[ordinal].tobytes(), recent=recent.tobytes(), interests=rows.tobytes()
    )
    return Facts(user=known)


def made(live: Live, facts: Facts) -> Decision:
    asked = request(slots=8)
    return decide(asked, facts, live, seeded(1), NOW, admission=admit(asked, live, NOW))


def codes(record: Decision, kind: str) -> dict[str, str]:
    return {
        item: code.partition(":")[2]
        for item, each in zip(record.items, record.reasons, strict=True)
        for code in each
        if code.startswith(f"{kind}:")
    }


def test_what_was_looked_at_is_named_where_it_speaks_for_an_item() -> None:
    live = live_with()
    record = made(live, person(live))
    named = codes(record, "because")
    vectors = live.shelf.vectors.astype(float)
    alike = {f"i{n}": float(vectors[n] @ vectors[3]) for n in range(8) if n != 3}
    assert set(named.values()) == {"i3"}
    assert set(named) == {item for item, cosine in alike.items() if cosine >= LEAST_DROP}
    sentences = told(record, words(live.snapshot, record, live.shelf))
    assert "Shown because you looked at Item 3" in {one for each in sentences for one in each}


def test_nobody_is_told_what_had_no_say() -> None:
    live = live_with()
    assert codes(made(live, person(live, role="shown")), "because") == {}
    assert codes(made(live, person(live, role="rejection")), "because") == {}
    quiet = live_with(reasons={})
    record = made(quiet, person(quiet, likes={"kind=book": 1.0}))
    assert (codes(record, "because"), codes(record, "interest")) == ({}, {})
    assert (record.user_recent, record.user_interests) == (b"", b"")
    refused = policy(confidence=ConfidenceRule(threshold=1.0))
    fallback = world(refused, installation=live.snapshot.installation)
    record = made(fallback, person(fallback, likes={"kind=book": 1.0}))
    assert record.served_by == "fallback"
    assert codes(record, "because") == {}


def test_a_stated_liking_is_named_a_dislike_is_not() -> None:
    live = live_with()
    named = codes(made(live, person(live, likes={"kind=book": 0.5, "tag=new": -1.0, "kind=shoe": 0.0})), "interest")
    assert named == {f"i{n}": "kind=book" for n in range(0, 8, 2)}
    assert words(live.snapshot, made(live, person(live))).sentence("interest:kind=book").endswith("book")


def test_a_sensitive_attribute_is_never_named() -> None:
    live = live_with(sensitive=True)
    record = made(live, person(live, likes={"kind=book": 0.5, "tag=new": 0.1}))
    assert set(codes(record, "interest").values()) == {"tag=new"}
    assert not any("kind" in code for each in record.reasons for code in each)


def test_an_item_is_new_for_a_fortnight() -> None:
    ages = {"i0": DAY, "i1": 15 * DAY, "i2": -DAY}
    stock = Catalogue(
        version=4,
        items=tuple(
            replace(item, created_at=NOW - ages[item.item_id]) if item.item_id in ages else item
            for item in catalogue().items
        ),
    )
    record = made(live_with(stock=stock), Facts(user=user()))
    assert [item for item, each in zip(record.items, record.reasons, strict=True) if "new" in each] == ["i0"]


def test_reasons_of_the_person_replay_exactly() -> None:
    live = live_with()
    record = made(live, person(live, likes={"kind=book": 1.0}))
    model = live.models["ranker"]
    verdict = replay(record, snapshot=live.snapshot, model=model, shelf=live.shelf, items=live.items)
    assert verdict.verdict == "exact"


@given(st.integers(0, 10_000))
@settings(max_examples=50, deadline=None)
def test_a_drop_is_what_is_lost_when_the_direction_is_taken_out(seed: int) -> None:
    rng = np.random.Generator(np.random.PCG64(seed))
    vector, seen, shown = rng.normal(size=8), rng.normal(size=(3, 8)), rng.normal(size=(4, 8))
    seen /= np.linalg.norm(seen, axis=1, keepdims=True)
    shown /= np.linalg.norm(shown, axis=1, keepdims=True)
    found = drops(vector, seen, shown)
    for row, looked in enumerate(seen):
        without = vector - (vector @ looked) * looked
        for column, item in enumerate(shown):
            cosine = vector @ item / np.linalg.norm(vector)
            expected = cosine - without @ item / np.linalg.norm(without) if vector @ looked > 0 else 0.0
            assert abs(found[row, column] - expected) < 1e-9


def test_a_person_who_is_only_what_they_looked_at_loses_everything() -> None:
    only = np.array([1.0, 0.0])
    assert drops(only, only[None, :], only[None, :]).tolist() == [[1.0]]
    assert isinstance(user(), UserState)
