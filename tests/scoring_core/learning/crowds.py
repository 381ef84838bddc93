"""Made-up people whose ways are known: each comes at a pace of their own, and some stop coming for good."""

import numpy as np

from scoring_core.learning.acts import Acts
from storage.records.clock import DAY

START = 1_700_000_000_000_000
DAYS = 240


def acts_of(rows: list[tuple[int, int, str, int, float]], *, people: int, kinds=("view", "purchase")) -> Acts:
    """Rows of (person, at, type, item, value), in any order."""
    rows = sorted(rows, key=lambda row: row[1])
    return Acts(
        person=np.array([row[0] for row in rows], dtype=np.int64),
        at=np.array([row[1] for row in rows], dtype=np.int64),
        type=np.array([kinds.index(row[2]) for row in rows], dtype=np.int64),
        item=np.array([row[3] for row in rows], dtype=np.int64),
        value=np.array([row[4] for row in rows], dtype=np.float64),
        types=tuple(kinds),
        commits=np.array([kind == "purchase" for kind in kinds]),
        people=people,
    )


def crowd(people: int = 600, *, seed: int = 3, told: bool = True) -> Acts:
    """People who come every 3 to 60 days and are lost for good with their own hazard; where nothing is ``told``, every
    day is as likely as any other for everyone, so that nothing tells who stays."""
    rng = np.random.Generator(np.random.PCG64(seed))
    rows = []
    for person in range(people):
        pace = float(np.exp(rng.uniform(np.log(3.0), np.log(60.0)))) if told else 30.0
        lost = rng.exponential(12.0 * pace) if told else np.inf
        begins = rng.uniform(0.0, DAYS / 2 if told else 1.0)
        at = begins
        while at < min(DAYS, begins + lost):
            when = START + int(at * DAY)
            rows.append((person, when, "view", int(rng.integers(40)), 0.0))
            if rng.random() < 0.5:
                rows.append((person, when + 60_000_000, "purchase", int(rng.integers(40)), 900.0 / pace))
            at += rng.exponential(pace)
    return acts_of(rows, people=people)
