"""Training by the disk: the very trees of training in memory, and ranking objectives."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from scoring_core.learning.datasets import describe_features, load_examples
from scoring_core.learning.stream import describe_stream, held_out_from, spans
from scoring_core.learning.train import train
from scoring_core.scorers.gbdt import load
from scoring_core.shelf import build_shelf
from storage import catalogue
from storage.errors import Invalid
from storage.records.clock import DAY, SECOND
from storage.records.decisions import Decision
from storage.records.events import Event
from tests.worlds import ITEMS, START, fill, items, lake_at, taste

NOW = START + 30 * DAY


@pytest.fixture
def lake(home: Path):
    return lake_at(home)


def test_spans_hold_all_of_the_log_once_and_the_last_of_it_is_held_out(sqlite_database, lake):
    fill(sqlite_database, lake, taste(2_000, 3))
    cut = spans(sqlite_database, lake, origins=("imported",), rows=80)
    assert sum(span.slots for span in cut) == 2_000
    assert len(cut) == 25
    assert all(before.end <= after.start for before, after in pairwise(cut))
    assert len(spans(sqlite_database, lake, origins=("imported",))) == 20
    begin = held_out_from(cut, 0.3)
    late = sum(span.slots for span in cut if span.start >= begin)
    assert 0 < late <= 600
    assert spans(sqlite_database, lake, origins=("live",)) == ()


def test_features_are_described_alike(sqlite_database, lake):
    fill(sqlite_database, lake, taste(500, 3))
    with sqlite_database.read() as read:
        shelf = build_shelf(catalogue.load(read))
    examples = load_examples(sqlite_database, lake, shelf=shelf, now=NOW, origins=("imported",))
    found = describe_stream(sqlite_database, lake, shelf=shelf, origins=("imported",), end=2**62)
    assert found == describe_features(examples, shelf)


def test_the_disk_gives_the_trees_that_memory_gives(sqlite_database, lake, home, monkeypatch):
    fill(sqlite_database, lake, taste(2_100, 3))
    about = {"seed": 3, "members": 3, "trees": 8}
    disk = train(sqlite_database, lake, home, now=NOW, stream=True, **about)
    assert disk.lineage["trained"]["streamed"] == 14
    monkeypatch.setattr("scoring_core.learning.train.HELD_OUT", disk.lineage["held_out"]["rows"] / 2_100)
    memory = train(sqlite_database, lake, home, now=NOW + SECOND, stream=False, **about)
    assert memory.lineage["trained"]["rows"] == disk.lineage["trained"]["rows"]
    assert disk.digest == memory.digest
    assert disk.evaluation == memory.evaluation
    assert not list(lake.root.glob(".training-*")), "nothing is left on the disk"


def slates(count: int, seed: int = 1):
    """Decisions of four slots; the item that fits the person's taste is clicked most, wherever it stands."""
    rng = np.random.default_rng(seed)
    decisions, events = [], []
    for number in range(count):
        person, at = int(rng.integers(0, 4)), START + number * SECOND * 60
        shown = rng.choice(ITEMS, 4, replace=False).tolist()
        key = f"d{number:05d}"
        decisions.append(
            Decision(
                decision_id=key, at=at, replica="r", subject=None, session=None, sequence=0, surface="home",
                campaign=None, slots=4, revision=1, consent_epoch=0, policy="p", version=1, bucket=0.1,
                served_by="model", reason="", context={"taste": f"t{person}"}, propensity=(0.25,) * 4,
                items=tuple(f"i{item}" for item in shown), assume_impression=True, origin="imported",
            )
        )  # fmt: skip
        for place, item in enumerate(shown):
            if rng.random() < (0.5 if item % 4 == person else 0.08):
                events.append(
                    Event(
                        event_id=f"{key}-{place}", type="click", at=at + 1, received_at=at, item=f"i{item}",
                        decision_id=key, origin="imported",
                    )
                )  # fmt: skip
    return decisions, events


def put(database, lake, decisions, events):
    with database.write() as write:
        catalogue.upsert(write, items(), now=START)
        for kind, records in (("decisions", decisions), ("events", events)):
            staged = lake.stage(
                kind, replica="r", log="l", from_seq=1, to_seq=len(records), origin="imported", records=records
            )
            lake.register(write, staged, now=START)


@pytest.mark.parametrize("by_disk", [False, True])
def test_lambdarank_ranks_the_slots_of_a_decision(sqlite_database, lake, home, by_disk):
    put(sqlite_database, lake, *slates(1_500))
    model = train(
        sqlite_database, lake, home, now=NOW, seed=1, members=3, trees=15, objective="lambdarank", stream=by_disk
    )
    assert model.lineage["parameters"]["objective"] == "lambdarank"
    assert model.evaluation["verdict"] == "better"
    assert model.evaluation["model"] > 0.7
    assert (
        "objective=lambdarank" in "".join(load(model, home).scorer.texts)
        or "lambdarank" in (home / model.path / "member-00.txt").read_text()
    )


def test_lambdarank_of_one_slot_decisions_is_refused_with_the_way_out(sqlite_database, lake, home):
    fill(sqlite_database, lake, taste(1_000, 3))
    with pytest.raises(Invalid, match="train with the objective binary"):
        train(sqlite_database, lake, home, now=NOW, seed=1, objective="lambdarank")
