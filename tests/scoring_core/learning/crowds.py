"""Made-up people whose ways are known: each comes at a pace of their own, and some stop coming for good."""

from dataclasses import replace

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


def fans(people: int = 500, makers: int = 12, *, seed: int = 4) -> Acts:
    """People who look at three creators each; of the one that they like they buy again and again, of the others hardly
    ever. Item n is by creator n % ``makers``."""
    rng = np.random.Generator(np.random.PCG64(seed))
    rows = []
    for person in range(people):
        known = rng.choice(makers, 3, replace=False)
        at = rng.uniform(0.0, 20.0)
        while at < 120.0:
            maker = int(rng.choice(known))
            item = maker + makers * int(rng.integers(4))
            when = START + int(at * DAY)
            rows.append((person, when, "view", item, 0.0))
            if rng.random() < (0.4 if maker == known[0] else 0.02):
                rows.append((person, when + 60_000_000, "purchase", item, 10.0))
            at += rng.exponential(6.0)
    acts = acts_of(rows, people=people)
    return replace(
        acts,
        items=tuple(f"i{number}" for number in range(4 * makers)),
        makers=tuple(f"maker {number}" for number in range(makers)),
        maker=np.arange(4 * makers) % makers,
    )
