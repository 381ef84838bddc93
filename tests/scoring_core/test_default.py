"""The default experience: who gets it, that it leaves no trace of them, and that it is never an error."""

from typing import Any

import numpy as np
import pytest

from storage.records import wire
from storage.records.items import Catalogue, Item
from storage.records.policies import KillSwitch
from tests.scoring_core.world import NOW, ONE_SUBJECT, Consent, decided, request, statistics, trusting, world


@pytest.mark.parametrize(
    ("live", "changes", "reason"),
    [
        (world(kill_switch=KillSwitch(on=True, since=1, reason="drill")), {}, "kill_switch"),
        (world(consent=Consent(lease=False)), {}, "consent_stale"),
        (world(consent=Consent(denied=frozenset({ONE_SUBJECT}))), {}, "no_consent"),
        (world(), {"subject": None}, "anonymous"),
        (world(), {"gpc": True}, "gpc"),
    ],
    ids=["killed", "stale", "denied", "anonymous", "gpc"],
)
def test_who_is_refused_gets_the_callers_order_and_leaves_no_trace(
    live: Any, changes: dict[str, Any], reason: str
) -> None:
    record = decided(live, request(**changes))
    assert (record.served_by, record.reason) == ("default", reason)
    assert record.items == ("i0", "i1", "i2")
    assert (record.subject, record.session, record.context) == (None, None, {})
    assert (record.user_vector, record.user_events, record.bucket, record.policy) == (None, None, None, None)
    assert record.arms == {}
    assert record.confidence is None
    assert record.propensity == (1.0, 1.0, 1.0)
    assert record.rng_seed == 0
    assert ONE_SUBJECT.encode() not in wire.encode(record)


def test_without_candidates_the_refused_get_what_is_popular() -> None:
    record = decided(world(consent=Consent(lease=False)), request(candidates=None, slots=2))
    best = np.argsort(-statistics().values[:, 2])[:2]
    assert record.items == tuple(f"i{ordinal}" for ordinal in best)


def test_hidden_and_sold_out_and_expired_items_are_never_shown() -> None:
    items = (
        Item(item_id="hidden", hidden=True),
        Item(item_id="sold", stock=0),
        Item(item_id="expired", expires_at=NOW - 1),
        Item(item_id="soon", expires_at=NOW + 1_000),
        Item(item_id="fine", stock=3),
    )
    stock = Catalogue(version=1, items=items)
    asked = request(candidates=tuple(item.item_id for item in items), slots=9)
    for consent in (Consent(), Consent(lease=False)):
        live = world(trusting(), stock=stock, consent=consent, items=statistics(5))
        assert set(decided(live, asked).items) == {"soon", "fine"}
        assert decided(live, asked, now=NOW + 2_000).items == ("fine",)
        assert set(decided(live, request(candidates=None, slots=9)).items) == {"soon", "fine"}


@pytest.mark.parametrize("consent", [Consent(), Consent(lease=False)])
@pytest.mark.parametrize("candidates", [(), ("unknown", "nobody")])
def test_nothing_to_show_is_an_empty_answer_with_a_reason(consent: Consent, candidates: tuple[str, ...]) -> None:
    record = decided(world(consent=consent), request(candidates=candidates))
    assert (record.served_by, record.reason, record.items, record.ranking) == ("default", "no_candidates", (), b"")


def test_an_empty_catalogue_is_an_empty_answer() -> None:
    empty = world(stock=Catalogue(version=0, items=()), items=statistics(0))
    for asked in (request(candidates=None), request(), request(subject=None, candidates=None)):
        assert decided(empty, asked).reason == "no_candidates"


def test_a_surface_without_a_policy_gets_the_default() -> None:
    record = decided(world(), request(surface="cellar"))
    assert (record.served_by, record.reason, record.items) == ("default", "no_policy", ("i0", "i1", "i2"))
