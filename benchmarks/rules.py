"""The rules of a decision: 60 of them, 100 candidates, asked together, against asking one after another."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.figures import Figure, percentiles
from benchmarks.installation import CANDIDATES, ITEM_FEATURES, ITEMS, RULES, context, item_id, rules
from scoring_core.columns import Columns
from scoring_core.conditions import compile_condition
from scoring_core.rulebook import Rulebook
from scoring_core.rules import Ruleset
from storage.records.items import Item
from storage.records.rules import Rule

REQUESTS, SLOTS, NOW = 4_000, 10, 1_760_000_000_000_000
LIMIT_MS = 1.0


@dataclass(frozen=True, kw_only=True)
class Request:
    """What one decision asks the rules with."""

    asking: dict[str, Any]
    ordinals: NDArray[np.int64]
    values: NDArray[np.float64]


Masks = Callable[[Mapping[str, Any]], NDArray[np.bool_]]
Apply = Callable[[Request], NDArray[np.float64]]


def requests(rng: np.random.Generator, count: int) -> list[Request]:
    """Return requests whose contexts, candidates and scores differ."""
    return [
        Request(
            asking={**context(rng), "user": {"clicks": int(rng.integers(0, 3))}},
            ordinals=rng.choice(ITEMS, CANDIDATES, replace=False),
            values=rng.random(CANDIDATES),
        )
        for _ in range(count)
    ]


def one_by_one(made: Sequence[Rule], masks: Masks) -> Apply:
    """Return the floor: each compiled condition asked by itself, each rule applied by its own mask."""
    ordered = sorted(made, key=lambda rule: (-rule.priority, rule.key))
    ready = [(rule, compile_condition(rule.when), masks(rule.items)) for rule in ordered]

    def apply(request: Request) -> NDArray[np.float64]:
        values, kept, pins = request.values.copy(), np.ones(CANDIDATES, dtype=np.bool_), {}
        holding = [(rule, mask[request.ordinals]) for rule, when, mask in ready if when(request.asking)]
        for rule, rows in holding:
            if rule.action == "exclude":
                kept &= ~rows
        for rule, rows in holding:
            if rule.action == "boost":
                values[rows & kept] *= rule.factor
        for rule, rows in holding:
            if rule.action == "pin" and rule.slot not in pins and (rows & kept).any():
                pins[rule.slot] = int(np.argmax(np.where(rows & kept, values, -np.inf)))
        return values

    return apply


def together(
    made: Sequence[Rule], masks: Callable[[Any], NDArray[np.bool_]]
) -> Callable[[Request], NDArray[np.float64]]:
    """Return the rules' stage as decisions have it."""
    ruleset: Ruleset = Rulebook(masks, items=ITEMS).items(made)

    def apply(request: Request) -> NDArray[np.float64]:
        holding = ruleset.holding(asking=request.asking, subject="someone", campaign="bench", now=NOW)
        return ruleset.apply(holding, request.values, ordinals=request.ordinals, slots=SLOTS).values

    return apply


def timed(apply: Callable[[Request], Any], asked: Sequence[Request]) -> list[float]:
    """Return the milliseconds of CPU of each request: what else the machine does is left out."""
    spent = []
    for request in asked:
        begun = time.thread_time_ns()
        apply(request)
        spent.append((time.thread_time_ns() - begun) / 1e6)
    return spent


def main() -> None:
    """Measure 60 rules of which about half hold, and 60 that all hold; blocks of both ways alternate."""
    rng = np.random.default_rng(7)
    columns = Columns(
        tuple(
            Item(
                item_id=item_id(number),
                attributes={f"f{one}": float(value) for one, value in enumerate(rng.normal(size=ITEM_FEATURES))},
            )
            for number in range(ITEMS)
        )
    )
    asked = requests(rng, REQUESTS)
    for name, made in (("rules", rules()), ("rules_all_hold", tuple(replace(rule, when={}) for rule in rules()))):
        ours, floor = together(made, columns.mask), one_by_one(made, columns.mask)
        for request in asked[:200]:
            assert np.allclose(ours(request), floor(request), rtol=1e-12)
        spent: dict[str, list[float]] = {"ours": [], "floor": []}
        for block in range(5):
            part = asked[block::5]
            spent["ours"] += timed(ours, part)
            spent["floor"] += timed(floor, part)
        own, other = percentiles(spent["ours"]), percentiles(spent["floor"])
        Figure(
            bench=name,
            value=own["p50"],
            unit=f"ms CPU p50 of {RULES} rules at {CANDIDATES} candidates",
            floor=other["p50"],
            ratio=own["p50"] / other["p50"],
            target=f"p50 and p99 <= {LIMIT_MS:g} ms; ratio to asking one by one <= 0.5",
            ok=own["p99"] <= LIMIT_MS and own["p50"] / other["p50"] <= 0.5,
            raw={"ours_ms": own, "one_by_one_ms": other, "rules": RULES, "candidates": CANDIDATES},
        ).print()


if __name__ == "__main__":
    main()
