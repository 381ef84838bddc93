"""Off-policy estimates against a known truth, and the six pairs of the Open Bandit Dataset, worthless ones refused."""

import os
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

from benchmarks.figures import Figure
from collectors.bandit_files import CAMPAIGNS, FEATURES, Wheel
from collectors.open_bandit import fetch_wheel
from governance.offpolicy import estimate
from governance.own_log import codes
from governance.pairs import ShownRows, evaluate_pair, shares, uniform
from storage.errors import FairleadError

ROWS, CHOICES, TRUTH_ROWS = 2_000, 10, 2_000_000
WORLDS = {
    "near": {"sharp": 0.6, "base": -1.5},
    "opposite": {"sharp": -0.5, "base": -1.5},
    "sharper": {"sharp": 1.2, "base": -2.0},
    "rare clicks": {"sharp": 0.7, "base": -3.5},
}
"""How sharply the target prefers what is liked (the logging policy: 0.3), and the log-odds of an average click."""

ESTIMATORS = ("ips", "snips", "dr")
DRAWS = 1_000


def world(rng: np.random.Generator, rows: int, *, sharp: float, base: float) -> tuple[np.ndarray, ...]:
    """Draw a log: circumstances, reward, logged and target probability; and the target's expected reward per row."""
    tastes = np.random.default_rng(11).normal(size=(3, CHOICES))
    x = rng.normal(size=(rows, 3))
    liking = x @ tastes / np.sqrt(3.0)
    logged, target = np.exp(0.3 * liking), np.exp(sharp * liking)
    logged, target = (each / each.sum(axis=1, keepdims=True) for each in (logged, target))
    chance = 1.0 / (1.0 + np.exp(-base - liking))
    made = (logged.cumsum(axis=1) > rng.random((rows, 1))).argmax(axis=1)
    row = np.arange(rows)
    reward = (rng.random(rows) < chance[row, made]).astype(np.float64)
    return x, reward, logged[row, made], target[row, made], (target * chance).sum(axis=1)


def coverage(logs: int) -> None:
    """Print how often intervals and bounds hold, over ``logs`` logs of all worlds together."""
    held: Counter[str] = Counter()
    widths: dict[str, list[float]] = {name: [] for name in ESTIMATORS}
    by_world: dict[str, dict[str, float]] = {}
    verdicts: Counter[str] = Counter()
    bounds: Counter[str] = Counter()
    for number, (name, kind) in enumerate(WORLDS.items()):
        truth = float(world(np.random.default_rng(number), TRUTH_ROWS, **kind)[4].mean())
        here: Counter[str] = Counter()
        for log in range(logs // len(WORLDS)):
            rng = np.random.default_rng((number + 1) * 1_000_000 + log)
            x, reward, logged, target, _ = world(rng, ROWS, **kind)
            found = estimate(reward, logged, target, seed=log, features=x, draws=DRAWS)
            verdicts[found.verdict] += 1
            for each in ESTIMATORS:
                interval = getattr(found, each)
                here[each] += interval.low <= truth <= interval.high
                widths[each].append(float(interval.high - interval.low))
            bounds["lower"] += found.bounds[0] <= truth
            bounds["upper"] += found.bounds[1] >= truth
        by_world[name] = {each: here[each] / (logs // len(WORLDS)) for each in ESTIMATORS} | {"truth": truth}
        held += here
    total = logs // len(WORLDS) * len(WORLDS)
    for each in ESTIMATORS:
        share = held[each] / total
        Figure(
            bench="offpolicy",
            value=100.0 * share,
            unit=f"% of 95 % intervals hold ({each}, mean width {np.mean(widths[each]):.4f})",
            floor=None,
            ratio=None,
            target="93–97 %",
            ok=0.93 <= share <= 0.97,
            raw={
                "logs": total,
                "rows": ROWS,
                "draws": DRAWS,
                "worlds": {name: found[each] for name, found in by_world.items()},
                "truths": {name: found["truth"] for name, found in by_world.items()},
                "verdicts": dict(verdicts),
            },
        ).print()
    for side in ("lower", "upper"):
        share = bounds[side] / total
        Figure(
            bench="offpolicy",
            value=100.0 * share,
            unit=f"% of one-sided {side} bounds hold (empirical Bernstein)",
            floor=None,
            ratio=None,
            target="≥ 95 %",
            ok=share >= 0.95,
            raw={"logs": total},
        ).print()


def shown(wheel: Wheel, policy: str, campaign: str) -> ShownRows:
    """Return one file of the data as rows of a log."""
    numbers = sorted(wheel.items(campaign)[0])
    logged = wheel.logged(policy, campaign, items=frozenset(numbers))
    return ShownRows(
        item=np.searchsorted(np.array(numbers), logged.item),
        slot=logged.position - 1,
        reward=logged.click.astype(np.float64),
        propensity=logged.propensity,
        features=np.stack([codes(logged.features[name]) for name in FEATURES], axis=1),
        items=len(numbers),
    )


def pairs() -> None:
    """Print what each log says of the other policy, beside what that one really earned."""
    given = os.environ.get("FAIRLEAD_DOWNLOADS")
    with tempfile.TemporaryDirectory() as folder:
        try:
            path = fetch_wheel(Path(given or folder))
        except FairleadError as error:
            print(error, file=sys.stderr)
            return
        with Wheel(path) as wheel:
            for campaign in CAMPAIGNS:
                logs = {policy: shown(wheel, policy, campaign) for policy in ("random", "bts")}
                slots = 1 + max(int(rows.slot.max()) for rows in logs.values())
                items = logs["random"].items
                targets = {"random": uniform(slots, items), "bts": shares(logs["bts"], slots)}
                for logger, target in (("random", "bts"), ("bts", "random")):
                    found = evaluate_pair(logs[logger], targets[target], seed=1)
                    truth = float(logs[target].reward.mean())
                    snips = found.snips
                    covered = snips is not None and snips.low <= truth <= snips.high
                    Figure(
                        bench="offpolicy",
                        value=snips.value if snips is not None else float("nan"),
                        unit=f"clicks per impression of {target} from the log of {logger}, {campaign}: {found.verdict}",
                        floor=truth,
                        ratio=None,
                        target="the true rate within the interval, or refused",
                        ok=covered or found.verdict != "supported",
                        raw=found.document(),
                    ).print()


def main(logs: int) -> int:
    """Print all figures."""
    coverage(logs)
    pairs()
    return 0


if __name__ == "__main__":
    sys.exit(main(int(os.environ.get("FAIRLEAD_BENCH_LOGS", "1000"))))
