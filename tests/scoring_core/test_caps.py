"""Caps within a decision: what is held back, what a slate may take, and that all of it replays."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace as altered

from scoring_core.caps import numbered, without
from scoring_core.decide import decide
from scoring_core.explore import seeded
from scoring_core.fatigue import Weariness
from scoring_core.gate import admit
from scoring_core.live import Facts, Live, Request
from scoring_core.replay import replay
from storage.records import wire
from storage.records.campaigns import Campaign
from storage.records.caps import Cap
from storage.records.decisions import Decision
from storage.records.policies import ConfidenceRule, Exploration, PolicyState
from storage.records.rules import Rule
from storage.records.tallies import Tally
from tests.scoring_core.replayed import flips
from tests.scoring_core.world import NOW, Consent, policy, request, user, world

CALM = {"confidence": ConfidenceRule(threshold=0.0), "exploration": Exploration(epsilon=0.0)}
RUNNING = {"men": Campaign(key="men", name="Men", surfaces=("home",), status="running", caps=(Cap(key="m", limit=2),))}


def decided(live: Live, asked: Request | None = None, **facts: Any) -> Decision:
    asked = asked or request()
    known = Facts(
        user=user(), **{name: told(value, live) if name == "caps" else value for name, value in facts.items()}
    )
    return decide(asked, known, live, seeded(42), NOW, admission=admit(asked, live, NOW), replica="engine-1")


def told(counts: dict[str, int] | None, live: Live) -> Tally | None:
    return None if counts is None else numbered(counts, live.plan.caps, live.shelf)


def exact(record: Decision, live: Live) -> bool:
    record = wire.decode(Decision, wire.encode(record))
    model = live.models["ranker"] if record.model is not None else None
    return replay(record, snapshot=live.snapshot, model=model, shelf=live.shelf, items=live.items).verdict == "exact"


def capped(*caps: Cap, document: Any = None, **snapshot: Any) -> Live:
    return world(document or policy(**CALM), caps={cap.key: cap for cap in caps}, **snapshot)


def test_without_caps_nothing_is_looked_at() -> None:
    record = decided(capped(), caps={"gone:i1": 9})
    assert (record.cap_counts, record.caps, record.withheld, record.fatigue) == ({}, (), (), b"")


def test_an_item_at_its_limit_gives_way_and_the_record_names_the_cap_and_the_counts() -> None:
    live = capped(Cap(key="daily", limit=2))
    first, second = decided(live).items[:2]
    record = decided(live, caps={f"daily:{first}": 2, f"daily:{second}": 1, "daily:unknown": 7, "daily:i11": 9})
    assert first not in record.items
    assert record.items[0] == second
    assert len(record.items) == 3
    assert record.caps == ("daily",)
    assert record.cap_counts == {f"daily:{first}": 2, f"daily:{second}": 1}, "only what was looked at"
    assert record.reason == "ok"
    assert exact(record, live)


def test_the_strictest_cap_wins() -> None:
    live = capped(Cap(key="loose", limit=9, unit="week"), Cap(key="strict", limit=1))
    first = decided(live).items[0]
    assert first in decided(live, caps={f"loose:{first}": 1}).items
    record = decided(live, caps={f"loose:{first}": 1, f"strict:{first}": 1})
    assert (first in record.items, record.caps) == (False, ("strict",))


def test_a_limit_of_nothing_shows_nothing_and_says_so() -> None:
    live = capped(Cap(key="never", limit=0))
    record = decided(live)
    assert (record.items, record.served_by, record.reason, record.caps) == ((), "default", "capped", ("never",))
    assert exact(record, live)


@pytest.mark.parametrize(("seen", "left"), [(0, 3), (1, 2), (2, 1), (3, 0), (9, 0)])
def test_a_cap_on_anything_leaves_so_many_slots(seen: int, left: int) -> None:
    live = capped(Cap(key="all", limit=3, per="any"))
    counts = {"all:": seen} if seen else {}
    record = decided(live, request(slots=3), caps=counts)
    assert len(record.items) == left
    assert record.reason == ("ok" if left == 3 else "capped")
    assert record.caps == (() if left == 3 else ("all",))
    assert record.cap_counts == counts
    assert exact(record, live)


def test_a_brand_at_its_limit_gives_way_and_one_slate_does_not_pass_it_either() -> None:
    live = capped(Cap(key="kind", limit=3, per="attribute", attribute="kind"))
    asked = request(slots=6, candidates=tuple(f"i{n}" for n in range(12)))
    kinds = {f"i{n}": ("book", "shoe")[n % 2] for n in range(12)}
    record = decided(live, asked, caps={"kind:book": 2})
    assert Counter(kinds[item] for item in record.items) == {"book": 1, "shoe": 3}
    assert (record.reason, record.caps, record.cap_counts) == ("capped", ("kind",), {"kind:book": 2})
    assert exact(record, live)


def test_a_pinned_item_stands_before_others_of_its_kind_and_not_beyond_its_cap() -> None:
    pin = Rule(key="pin", action="pin", items={"item_id": "i6"}, slot=2)
    live = capped(Cap(key="kind", limit=1, per="attribute", attribute="kind"), document=policy(rules=(pin,), **CALM))
    record = decided(live)
    assert record.items[1] == "i6"
    assert len(record.items) == 2
    held = decided(live, caps={"kind:book": 1})
    assert "i6" not in held.items
    assert all(exact(each, live) for each in (record, held))


def test_a_campaigns_cap_holds_there_alone_and_counts_that_alone() -> None:
    live = world(policy(**CALM), campaigns=RUNNING)
    asked = request(campaign="men")
    first = decided(live, asked).items[0]
    counts = {f"campaign/men/m:{first}": 2}
    assert first not in decided(live, asked, caps=counts).items
    assert first in decided(live, caps=counts).items


def test_per_campaign_counts_the_campaign_of_the_request() -> None:
    live = capped(Cap(key="c", limit=2, per="campaign"), campaigns=RUNNING)
    assert len(decided(live, caps={"c:men": 9}).items) == 3
    record = decided(live, request(campaign="men"), caps={"c:men": 1, "c:women": 9})
    assert (len(record.items), record.cap_counts) == (1, {"c:men": 1})


def test_caps_of_a_policy_version_hold_for_it_alone() -> None:
    documents = {1: policy(**CALM), 2: policy(caps=(Cap(key="own", limit=1),), **CALM)}
    states = {
        number: {"home": PolicyState(key="home", surface="home", stable=number, versions=documents)}
        for number in documents
    }
    first = decided(world(policies=states[1])).items[0]
    counts = {f"policy/home/own:{first}": 1}
    assert first in decided(world(policies=states[1]), caps=counts).items
    assert first not in decided(world(policies=states[2]), caps=counts).items


def test_while_nobody_can_say_what_was_shown_policy_decides() -> None:
    cap = Cap(key="daily", limit=1)
    served = decided(live := capped(cap), caps=None)
    assert (len(served.items), served.cap_counts, served.caps, served.reason) == (3, None, (), "ok")
    strict = capped(cap, document=policy(when_uncounted="hold", **CALM))
    held = decided(strict, caps=None)
    assert (held.items, held.cap_counts, held.caps, held.reason) == ((), None, ("daily",), "capped")
    assert exact(served, live)
    assert exact(held, strict)
    assert not exact(altered(served, cap_counts={}), live)


def test_who_is_not_personalized_has_caps_of_the_session() -> None:
    live = capped(Cap(key="daily", limit=1), consent=Consent(denied=frozenset({"5f" * 16})))
    record = decide(
        request(), Facts(caps=told({"daily:i0": 1}, live)), live, seeded(1), NOW, admission=admit(request(), live, NOW)
    )
    assert (record.items, record.served_by, record.reason) == (("i1", "i2", "i3"), "default", "no_consent")
    assert (record.caps, record.cap_counts, record.subject, record.session) == (("daily",), {"daily:i0": 1}, None, None)
    assert exact(record, live)
    everything = {f"daily:i{n}": 1 for n in range(12)}
    nothing = decide(
        request(), Facts(caps=told(everything, live)), live, seeded(1), NOW, admission=admit(request(), live, NOW)
    )
    assert (nothing.items, nothing.reason) == ((), "capped")
    assert exact(nothing, live)
    fresh = request(candidates=None)
    popular = decide(
        fresh, Facts(caps=told({"daily:i3": 1}, live)), live, seeded(1), NOW, admission=admit(fresh, live, NOW)
    )
    assert len(popular.items) == 3, "what is next in popularity fills the slot"


def test_an_item_that_another_decision_took_meanwhile_is_left_out_and_that_replays() -> None:
    live = capped(Cap(key="daily", limit=1))
    record = decided(live)
    short = without(record, frozenset({record.items[1]}))
    assert short.items == (record.items[0], record.items[2])
    assert (short.withheld, short.reason) == ((record.items[1],), "capped")
    assert len(short.propensity) == len(short.reasons) == len(short.ranking) // 2 == 2
    assert exact(short, live)
    assert not exact(altered(short, withheld=()), live)
    assert not exact(altered(short, withheld=(record.items[0],)), live)
    none = without(record, frozenset(record.items))
    assert (none.items, none.served_by, none.reason) == ((), "default", "capped")
    assert exact(none, live)


WEARY = Weariness(2.5, 1.25, ((0, 0.5), (3, 4.0), (7, 1.0)))


def test_what_tires_sinks_and_the_record_keeps_how_much() -> None:
    live, tireless = (world(policy(fatigue_tolerance=t, **CALM)) for t in (1.0, None))
    before = decided(tireless, request(slots=8), fatigue=WEARY)
    after = decided(live, request(slots=8), fatigue=WEARY)
    assert before.fatigue == b""
    assert np.frombuffer(after.fatigue, "<f4").tolist() == [2.5, 1.25, 0.5, 0, 0, 4.0, 0, 0, 0, 1.0]
    assert after.items.index("i3") > before.items.index("i3")
    assert after.scores == before.scores, "scores are the model's own"
    assert exact(after, live)
    assert not decided(live).fatigue


def test_every_flipped_bit_of_what_caps_and_fatigue_recorded_is_found() -> None:
    live = capped(Cap(key="daily", limit=2), document=policy(fatigue_tolerance=1.0, **CALM))
    whole = decided(live, caps={"daily:i1": 2, "daily:i2": 1}, fatigue=WEARY)
    record = without(whole, frozenset({whole.items[2]}))
    assert exact(record, live)
    found = 0
    for name in ("cap_counts", "fatigue", "caps", "withheld"):
        for value in flips(getattr(record, name)):
            assert not exact(altered(record, **{name: value}), live), (name, value)
            found += 1
    assert found > 300
