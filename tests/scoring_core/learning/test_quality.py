"""Feedback that tells nothing of taste weighs less, honest feedback keeps its weight, and models are better for it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scoring_core.learning.boosting import fit
from scoring_core.learning.datasets import load_examples
from scoring_core.learning.evaluate import concordance
from scoring_core.learning.quality import SIGNALS, feedback_quality
from scoring_core.scorers.gbdt import scorer_of
from scoring_core.shelf import build_shelf
from storage import catalogue
from storage.records.clock import DAY, MINUTE, SECOND
from storage.records.decisions import Decision
from storage.records.events import Event
from storage.records.models import ModelVersion
from tests.worlds import START, items, lake_at

NOW = START + 40 * DAY
ANSWERS = 60


def told(who: str, number: int, kind: str, item: int, at: int, **more) -> Event:
    return Event(
        event_id=f"{who}-{number}-{kind}", type=kind, at=at, received_at=at, subject=who, item=f"i{item % 12}", **more
    )


def days(number: int) -> int:
    return START + number * (DAY // 4)


HABITS = {
    "too_fast": lambda who: [told(who, n, "click", n, START + n * SECOND // 10) for n in range(ANSWERS)],
    "repeated": lambda who: [told(who, n, "like", 3, START + n * MINUTE) for n in range(ANSWERS)],
    "contradictory": lambda who: [
        told(who, n, kind, n, days(n), **more)
        for n in range(ANSWERS)
        for kind, more in (("rating", {"value": 1.0 + n % 2}), ("purchase", {}))
    ],
    "always_the_same": lambda who: [told(who, n, "rating", n, days(n), value=5.0) for n in range(ANSWERS)],
    "clicks_unseen": lambda who: [told(who, n, "click", n, days(n), decision_id=f"{who}-{n}") for n in range(ANSWERS)],
    "clicks_everything": lambda who: [
        told(who, n, kind, n, days(n), decision_id=f"{who}-{n}")
        for n in range(ANSWERS)
        for kind in ("impression", "click")
    ],
}


def honest(who: str) -> list[Event]:
    rng = np.random.default_rng(abs(len(who)) + 1)
    found = []
    for n in range(ANSWERS):
        found.append(told(who, n, "impression", n, days(n), decision_id=f"{who}-{n}"))
        if rng.random() < 0.2:
            found.append(told(who, n, "click", n, days(n) + 9 * SECOND, decision_id=f"{who}-{n}"))
        if rng.random() < 0.5:
            found.append(told(who, n, "rating", n, days(n) + MINUTE, value=float(rng.integers(1, 6))))
    return found


@pytest.fixture
def lake(home: Path):
    return lake_at(home)


def put(database, lake, events, decisions=()) -> None:
    with database.write() as write:
        catalogue.upsert(write, items(), now=START)
        for kind, records in (("decisions", list(decisions)), ("events", events)):
            if records:
                lake.register(
                    write,
                    lake.stage(
                        kind, replica="r", log="l", from_seq=1, to_seq=len(records), origin="live", records=records
                    ),
                    now=START,
                )


def test_each_habit_is_found_by_its_name_and_honest_people_keep_their_weight(sqlite_database, lake):
    events = [event for name, habit in HABITS.items() for event in habit(name)]
    events += [event for number in range(20) for event in honest("honest" + "x" * number)]
    put(sqlite_database, lake, events)
    found = feedback_quality(sqlite_database, lake, now=NOW, origins=("live",))
    assert {signal.name for signal in SIGNALS} == set(HABITS)
    for name in HABITS:
        assert found.trust.get(name, 1.0) < 0.7, (name, found)
        assert found.reasons[name] >= 1, name
    assert not [who for who in found.trust if who.startswith("honest") and found.trust[who] < 0.95]
    assert found.people == 26
    assert found.weighted_down == len(HABITS)
    assert all(0.0 <= value <= 1.0 for value in found.trust.values())
    assert "honest" not in str(found.document())


def test_few_answers_condemn_nobody_and_an_empty_lake_says_nothing(sqlite_database, lake):
    empty = feedback_quality(sqlite_database, lake, now=NOW, origins=("live",))
    assert (empty.trust, empty.people) == ({}, 0)
    put(sqlite_database, lake, [told("p", n, "rating", n, days(n), value=5.0) for n in range(5)])
    found = feedback_quality(sqlite_database, lake, now=NOW, origins=("live",))
    assert found.trust == {}
    assert found.people == 1


def planted(seed: int, *, people: int = 120, abusers: int = 30, shown: int = 40):
    """People who click what fits their taste, and some who click everything of the dullest kind, at once."""
    rng = np.random.default_rng(seed)
    decisions, events = [], []
    for person in range(people + abusers):
        abuser = person >= people
        who, taste = f"{'abuser' if abuser else 'person'}-{person}", person % 4
        for turn in range(shown):
            key = f"{who}-{turn}"
            at = START + (person * shown + turn) * (DAY // (people * 8)) if not abuser else START + DAY + turn * MINUTE
            number = int(rng.integers(0, 12)) if not abuser else int(rng.choice([(taste + 1) % 4, (taste + 1) % 4 + 4]))
            decisions.append(
                Decision(
                    decision_id=key, at=at, replica="r", subject=who, session=None, sequence=0, surface="home",
                    campaign=None, slots=1, revision=1, consent_epoch=0, policy="p", version=1, bucket=0.1,
                    served_by="model", reason="", context={"taste": f"t{taste}"}, items=(f"i{number}",),
                    propensity=(0.5,),
                )
            )  # fmt: skip
            about = {"decision_id": key}
            events.append(told(who, turn, "impression", number, at, **about))
            if abuser or rng.random() < (0.4 if number % 4 == taste else 0.05):
                events.append(told(who, turn, "click", number, at + SECOND, **about))
    return decisions, events


def test_weights_recover_the_ranking_of_honest_people(sqlite_database, lake):
    decisions, events = planted(1)
    put(sqlite_database, lake, events, decisions)
    with sqlite_database.read() as read:
        shelf = build_shelf(catalogue.load(read))
    examples = load_examples(sqlite_database, lake, shelf=shelf, now=NOW, origins=("live",))
    trust = feedback_quality(sqlite_database, lake, now=NOW, origins=("live",)).trust
    assert {who.split("-")[0] for who, value in trust.items() if value < 0.95} == {"abuser"}
    taste = np.array([int(examples.contexts[int(each)]["taste"][1:]) for each in examples.inputs])
    table = np.column_stack([taste, examples.ordinal]).astype(np.float64)
    truth = np.array([[t, i] for t in range(4) for i in range(12)], dtype=np.float64)
    fits = truth[:, 0] == truth[:, 1] % 4

    def recovered(rows) -> float:
        texts = fit(rows, table, names=("taste", "item"), members=10, trees=20, seed=1)
        version = ModelVersion(name="x", version="1", created_at=0, path="", digest="", features=("taste", "item"))
        scores = scorer_of(version, texts).score(truth).values
        return float(concordance(fits, [scores], weight=np.ones(48), stratum=np.repeat(np.arange(4), 12)).values[0])

    clean = replace(examples, weight=np.array([2.0 * who.startswith("person") for who in examples.subject]))
    plain, weighted = recovered(examples), recovered(examples.trusted(trust))
    assert weighted > plain + 0.05
    assert weighted > recovered(clean) - 0.05
