"""What came of arms, recomputed from the rows that went in."""

from collections import defaultdict
from pathlib import Path

from storage import arm_outcomes
from storage.arm_outcomes import ArmOutcomes
from storage.database import Database
from storage.lake import Lake
from tests.drawn_log import NOW, START, DrawnLog


def counted(log: DrawnLog, database: Database, home: Path, **more: object) -> ArmOutcomes:
    lake = log.write(database, Lake(home / "lake"))
    asked = {"start": START, "end": NOW, "origins": ("live", "simulated"), "goals": {}, "commitments": ("purchase",)}
    with database.read() as read:
        return arm_outcomes.counted(lake, read, **{**asked, **more})  # type: ignore[arg-type]  # of the keys above


def test_arms_of_a_holdout_are_what_the_rows_say(sqlite_database: Database, home: Path) -> None:
    log = DrawnLog({"held_out": 0.05, "treated": 0.1}).holdout(300)
    found = {one.arm: one for one in counted(log, sqlite_database, home).arms if one.test == "holdout/men"}
    by_arm: dict[str, list[str]] = defaultdict(list)
    for one in log.made:
        by_arm[one.arms["holdout"]].append(one.decision_id)
    assert found.keys() == by_arm.keys() == {"held_out", "treated"}
    for arm, ids in by_arm.items():
        told = [event for event in log.told if event.decision_id in set(ids)]
        people = {one.subject for one in log.made if one.decision_id in set(ids)}
        shown = [event for event in told if event.type == "impression"]
        clicks = [event for event in told if event.type == "click"]
        bought = [event for event in log.told if event.type == "purchase" and event.subject in people]
        one = found[arm]
        assert (one.decisions, one.people, one.known) == (len(ids), len(people), len(people))
        assert (one.impressions, one.clicks, one.conversions) == (len(shown), len(clicks), len(clicks))
        each: dict[str | None, list[int]] = defaultdict(lambda: [0, 0])
        for event in shown:
            each[event.subject][0] += 1
        for event in clicks:
            each[event.subject][1] += 1
        assert one.impressions_squared == sum(n * n for n, _ in each.values())
        assert one.clicks_squared == sum(k * k for _, k in each.values())
        assert one.clicks_by_impressions == sum(n * k for n, k in each.values())
        assert one.buyers == len({event.subject for event in bought})
        assert one.value == sum(event.value or 0.0 for event in bought)


def test_days_add_up_to_arms(sqlite_database: Database, home: Path) -> None:
    found = counted(DrawnLog({"held_out": 0.05, "treated": 0.1}).holdout(200), sqlite_database, home)
    assert len({day.day for day in found.days if day.test == "holdout/men"}) == 10
    for arm in found.arms:
        days = [day for day in found.days if (day.test, day.arm, day.origin) == (arm.test, arm.arm, arm.origin)]
        for name in ("decisions", "impressions", "clicks"):
            assert sum(getattr(day, name) for day in days) == getattr(arm, name)


def test_a_slot_is_in_the_arm_by_which_it_was_filled(sqlite_database: Database, home: Path) -> None:
    log = DrawnLog({"held_out": 0.05, "treated": 0.1}).holdout(300)
    found = {one.arm: one for one in counted(log, sqlite_database, home).arms if one.test == "exploration/home"}
    explored = sum(one.propensity == (0.05, 0.95) for one in log.made if one.served_by == "model")
    slots = 2 * sum(one.served_by == "model" for one in log.made)
    assert explored > 10
    assert (found["explored"].impressions, found["ranked"].impressions) == (explored, slots - explored)
    none = counted(DrawnLog({}), sqlite_database, home, sampling=("popular",))
    assert not [one for one in none.arms if one.test == "exploration/home"]


def test_simulated_rows_stand_apart_and_who_changed_arms_is_counted(sqlite_database: Database, home: Path) -> None:
    log = DrawnLog({"held_out": 0.05, "treated": 0.1}).holdout(60).holdout(60, origin="simulated")
    log.made[0] = _moved(log)
    found = counted(log, sqlite_database, home)
    held = [one for one in found.arms if one.test == "holdout/men"]
    assert {(one.arm, one.origin) for one in held} == {
        (arm, origin) for arm in ("held_out", "treated") for origin in ("live", "simulated")
    }
    crossed = {one.origin: (one.people, one.crossed) for one in found.crossed if one.test == "holdout/men"}
    assert crossed == {"live": (60, 1), "simulated": (60, 0)}


def _moved(log: DrawnLog):  # type: ignore[no-untyped-def]  # a decision, as it was but for its arm
    from msgspec.structs import replace

    first = log.made[0]
    return replace(first, arms={"holdout": "treated" if first.arms["holdout"] == "held_out" else "held_out"})
