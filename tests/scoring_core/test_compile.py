"""Plans: compiled once per change, taken over where nothing changed, robust against documents that make no sense."""

from dataclasses import replace

import pytest

from scoring_core.columns import item_facts
from scoring_core.compile import compile_live, compile_plan
from scoring_core.live import Model
from scoring_core.shelf import build_shelf
from storage.errors import Invalid
from storage.records.campaigns import Campaign
from storage.records.document import canonical, parse
from storage.records.policies import PolicyState, Snapshot
from storage.records.rules import Rule
from tests.scoring_core.world import CALIBRATED, NOW, Consent, LinearEnsemble, catalogue, ensemble, policy, world

BOOKS = {"kind": "book"}


def test_a_condition_over_items_is_worked_out_once_and_taken_over() -> None:
    document = policy(filters=BOOKS, rules=(Rule(key="r", action="boost", items=BOOKS),))
    first = world(document, campaigns={"c": Campaign(key="c", name="C", surfaces=(), item_filter=BOOKS)})
    stable = first.plan.surfaces["home"].stable
    assert stable is not None
    assert stable.filters is stable.rules[0].items is first.plan.campaigns["c"].items
    again = compile_live(
        replace(first.snapshot, revision=12),
        first.consent,
        models=first.models,
        shelf=first.shelf,
        items=first.items,
        previous=first,
    )
    assert again.plan.campaigns["c"].items is first.plan.campaigns["c"].items
    assert again.plan.digest != first.plan.digest
    moved = compile_live(
        first.snapshot,
        Consent(),
        models=first.models,
        shelf=build_shelf(catalogue()),
        items=first.items,
        previous=first,
    )
    assert moved.plan.campaigns["c"].items is not first.plan.campaigns["c"].items


def test_conditions_that_are_no_longer_used_are_forgotten() -> None:
    first = world(policy(filters=BOOKS))
    assert len(first.plan.masks) == 1
    bare = replace(first.snapshot, policies={})
    assert compile_plan(bare, models={}, shelf=first.shelf, masks=first.plan.masks).masks == {}


def test_conditions_over_items_may_ask_for_id_title_and_tags() -> None:
    facts = item_facts(catalogue().items[3])
    assert facts == {"price": 3.0, "kind": "shoe", "item_id": "i3", "title": "Item 3", "tags": ["new"], "stock": None}


def test_a_model_with_features_that_do_not_exist_is_refused_by_name() -> None:
    strange = LinearEnsemble(ensemble().weights[:, :1], ("stat.unheard",))
    with pytest.raises(Invalid):
        world(scorer=strange)


def test_documents_that_make_no_sense_hold_for_nobody() -> None:
    nonsense = policy(filters={"$and": "x"}, rules=(Rule(key="r", action="pin", when={"$or": 5}),))
    plan = world(nonsense).plan
    stable = plan.surfaces["home"].stable
    assert stable is not None
    assert stable.filters is not None
    assert not stable.filters.any()
    assert not stable.rules.holding(asking={}, subject="s", campaign=None, now=0).found


def test_a_snapshot_that_was_stored_and_read_keeps_its_digest() -> None:
    live = world(policy(filters=BOOKS), campaigns={"c": Campaign(key="c", name="C", surfaces=(), holdout=0.5)})
    once = parse(Snapshot, canonical(live.snapshot))
    twice = parse(Snapshot, canonical(once))
    assert compile_plan(once, models={}, shelf=live.shelf).digest == (
        compile_plan(twice, models={}, shelf=live.shelf).digest
    )


def test_a_version_that_is_not_there_is_none() -> None:
    state = PolicyState(key="p", surface="home", stable=3, versions={1: policy()})
    snapshot = Snapshot(revision=1, at=NOW, policies={"p": state})
    models = {"ranker": Model(ensemble(), CALIBRATED)}
    place = compile_plan(snapshot, models=models, shelf=build_shelf(catalogue())).surfaces["home"]
    assert (place.stable, place.rolling, place.rollout) == (None, None, None)
