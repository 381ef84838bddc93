"""Keeping what was seen: roll-ups from tier to tier, and retention."""

from storage.cell_days import sum_days
from storage.compaction import sweep
from storage.database import Database
from storage.lake import Lake
from storage.past_items import forget
from storage.tiers import TIERS, retain, roll_up


def roll_up_all(database: Database, *, now: int) -> int:
    """Roll every tier up from the finer one, each in its own transaction; return how many windows were written."""
    sum_days(database, now=now)
    written = 0
    for tier, rule in TIERS.items():
        if rule.source is not None:
            with database.write() as write:
                written += roll_up(write, tier, now=now)
    return written


def keep_house(database: Database, lake: Lake, *, now: int) -> None:
    """Delete metric windows and item versions past their time, and lake files that nobody reads any more."""
    with database.write() as write:
        retain(write, now=now)
    with database.write() as write:
        forget(write, now=now)
    sweep(lake, database)
