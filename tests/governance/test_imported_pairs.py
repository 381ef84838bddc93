"""One imported policy judged by the log of another, from the lake; and what the routes say of it."""

import numpy as np
import pytest

from governance.whatif import run_offpolicy
from storage.errors import Invalid, NotFound
from storage.lake import Lake
from storage.records.decisions import Decision
from storage.records.events import Event
from tests.governance.conftest import NOW

ITEMS = 5
CLICKS = np.array([0.05, 0.1, 0.2, 0.3, 0.4])
LIKES = np.array([0.5, 0.2, 0.15, 0.1, 0.05])


@pytest.fixture
def lake(sqlite_database, home) -> Lake:
    """Two imported policies: one shows any item alike, the other likes the first ones."""
    lake, rng = Lake(home / "lake"), np.random.default_rng(5)
    made, events = [], []
    for policy, chances in (("even", np.full(ITEMS, 1 / ITEMS)), ("picky", LIKES)):
        for row, item in enumerate(rng.choice(ITEMS, size=1_500, p=chances).tolist()):
            key = f"{policy}-{row}"
            made.append(
                Decision(
                    decision_id=key, at=NOW + row, replica="import", subject=None, session=None, sequence=0,
                    surface="home", campaign="men", slots=1, revision=0, consent_epoch=0, policy=policy, version=None,
                    bucket=None, served_by="model", reason="imported", items=(f"i{item}",), positions=(1 + row % 3,),
                    propensity=(float(chances[item]),), propensity_kind="marginal", origin="imported",
                    context={"user_feature_0": "ab"[row % 2]},
                )
            )  # fmt: skip
            told = {"item": f"i{item}", "decision_id": key, "campaign": "men", "origin": "imported"}
            kinds = ("impression", "click") if rng.random() < CLICKS[item] else ("impression",)
            events += [
                Event(event_id=f"{key}-{kind}", type=kind, at=NOW + row, received_at=NOW, **told) for kind in kinds
            ]
    with sqlite_database.write() as write:
        for kind, records in (("decisions", made), ("events", events)):
            staged = lake.stage(
                kind, replica="import", log="l", from_seq=1, to_seq=len(records), origin="imported", records=records
            )
            lake.register(write, staged, now=NOW)
    return lake


def judged(database, lake, home, **arguments):
    return run_offpolicy(database, lake, job_id="p", arguments=arguments, now=NOW, home=home)


@pytest.mark.parametrize(
    ("log", "target", "truth"), [("even", "picky", LIKES @ CLICKS), ("picky", "even", CLICKS.mean())]
)
def test_each_log_tells_the_other_policys_value(sqlite_database, home, lake, log, target, truth) -> None:
    audit = judged(sqlite_database, lake, home, log=log, target=target, campaign="men")
    told = audit.result["estimated"]
    assert (audit.kind, audit.verdict, told["n"], told["items"]) == ("offpolicy", "pass", 1_500, ITEMS)
    for name in ("ips", "snips", "dr"):
        assert told["intervals"][name][0] <= truth <= told["intervals"][name][1]
    assert told["really"] == pytest.approx(truth, abs=0.05)


def test_the_uniform_policy_needs_the_logged_propensities_alone(sqlite_database, home, lake) -> None:
    told = judged(sqlite_database, lake, home, log="picky").result["estimated"]
    assert told["really"] is None
    assert told["mean_weight"] == pytest.approx(1.0, abs=3 * told["mean_weight_error"])
    assert told["intervals"]["snips"][0] <= CLICKS.mean() <= told["intervals"]["snips"][1]


@pytest.mark.parametrize(
    ("arguments", "error", "word"),
    [
        ({"log": "even", "target": "even"}, Invalid, "another policy"),
        ({"log": "nobody"}, NotFound, "log"),
        ({"log": "even", "target": "nobody"}, NotFound, "target"),
        ({"log": "even", "policy": "home"}, Invalid, "policy"),
    ],
)
def test_a_pair_that_makes_no_sense_is_refused(sqlite_database, home, lake, arguments, error, word) -> None:
    with pytest.raises(error, match=word):
        judged(sqlite_database, lake, home, **arguments)
