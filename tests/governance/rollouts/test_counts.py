"""What is counted of a gated rollout: as the records have it, and no surer than its people make it."""

from collections.abc import Callable

import pytest

from governance.control import Control
from governance.rollouts.counts import count
from governance.rollouts.ramp import again
from governance.rollouts.watch import question
from storage import rollouts
from storage.database import Database
from storage.lake import Lake
from storage.records.document import canonical
from tests.governance.conftest import NOW, Clock

from .begun import PLAN, begin, state
from .traffic import Traffic


def test_counts_are_those_of_the_records_and_a_kept_look_is_judged_again(
    stand: Control, sqlite_database: Database, turn: Callable[[], None], traffic: Traffic, clock: Clock, lake: Lake
) -> None:
    key = begin(stand)
    for _ in range(3):
        traffic.come(
            1_500, clock.at, failing=lambda treated: 0.02, slow=lambda treated: 0.03, clicks=lambda treated: 0.2
        )
        turn()
    known = state(sqlite_database, key)
    assert len(known.marks) == 1
    with sqlite_database.read() as read:
        asked = question(read, known)
        assert asked is not None
        found = count(read, lake, asked).steps[0]
    clicked = {event.decision_id for event in traffic.told if event.type == "click"}
    sides = [[one for one in traffic.made if one.version == version] for version in (2, 1)]
    assert found.decisions == tuple(map(len, sides))
    assert found.failed == tuple(sum(one.reason == "scorer_failed" for one in side) for side in sides)
    assert found.late == tuple(sum(one.stage_us["score"] > 100_000 for one in side) for side in sides)
    assert found.outcomes == tuple(
        number for side in sides for number in (len(side), sum(one.decision_id in clicked for one in side))
    )
    assert found.people == tuple(len({one.subject for one in side}) for side in sides)
    assert found.failing == tuple(len({one.subject for one in side if one.reason == "scorer_failed"}) for side in sides)
    assert found.crossed == 0
    assert found.share == pytest.approx(0.1)
    assert sum(cells[1] for cells in found.groups.values()) == found.outcomes[1]
    assert sorted(found.groups) == ["user_feature_0=de", "user_feature_0=fr", "user_feature_0=it"]
    assert sum(joined for joined, _ in found.features["user_feature_0"].values()) == found.people[0]
    assert "served by" in found.features
    with sqlite_database.read() as read:
        looks = rollouts.looks(read, key)
    assert looks
    for look in looks:
        assert canonical(again(known, look)) == canonical(look)


def test_people_whose_decisions_are_alike_widen_the_bound(
    stand: Control, sqlite_database: Database, traffic: Traffic, clock: Clock, lake: Lake
) -> None:
    """Of 200 people one in five always clicks, the others never: 200 coins, however often they come."""
    key = begin(stand, {**PLAN, "steps": [50, 100]})
    known = state(sqlite_database, key)

    def spread() -> float:
        with sqlite_database.read() as read:
            asked = question(read, known)
            assert asked is not None
            return count(read, lake, asked).spread

    traffic.come(4_000, clock.at, clicks=lambda treated: 0.2)
    assert spread() == pytest.approx(1.0, abs=0.15)
    crowd = Traffic(sqlite_database, lake, people=200, seed=3, log="crowd")
    crowd.come(4_000, clock.at, loyal=lambda person: person.endswith(("1", "2")))
    assert spread() > 3.0


def test_a_step_tests_only_whom_it_could_have_moved(
    stand: Control, sqlite_database: Database, turn: Callable[[], None], traffic: Traffic, clock: Clock, lake: Lake
) -> None:
    """At 50 % after 10 %, of those above 10 % four in nine join: the share that the evidence reckons with."""
    key = begin(stand)
    for _ in range(8):
        if state(sqlite_database, key).percent == 50.0:
            break
        traffic.come(3_000, clock.at)
        turn()
    traffic.come(3_000, clock.at)
    known = state(sqlite_database, key)
    with sqlite_database.read() as read:
        asked = question(read, known)
        assert asked is not None
        found = count(read, lake, asked).steps[1]
    assert found.share == pytest.approx(40.0 / 90.0)
    assert found.people[0] / sum(found.people) == pytest.approx(found.share, abs=0.05)
    assert clock.at > NOW
