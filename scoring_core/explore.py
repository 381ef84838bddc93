"""Exploration: who stands at each slot, and with what probability exactly."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import msgspec
import numpy as np
from numpy.random.bit_generator import ISeedSequence
from numpy.typing import DTypeLike, NDArray

from scoring_core.features.table import Ordinals
from scoring_core.scorers.protocol import Draw, Floats


class Slate(msgspec.Struct, frozen=True):
    """The rows served, best first, each with its propensity given the slots before it; ``explored`` and ``pinned`` name
    the slots (0-based) that were."""

    rows: tuple[int, ...]
    propensity: tuple[float, ...]
    explored: frozenset[int] = frozenset()
    pinned: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """What a decision explores among: the catalogue ordinal of each row, the rows in greedy order, the slots, and what
    else ``explore`` takes."""

    ordinals: Ordinals
    greedy: Ordinals
    slots: int
    epsilon: float
    pins: Mapping[int, int]
    values: Floats
    draw: Draw | None = None


Onlooker = Callable[[Choice], None]

SEED_BYTES = 16


class Spread(ISeedSequence):
    """A seed spread over a generator's state by BLAKE2b: numpy's own ``SeedSequence`` costs five times as much, and a
    decision draws a handful of numbers only."""

    __slots__ = ("seed",)

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def generate_state(self, n_words: int, dtype: DTypeLike = np.uint32) -> NDArray[np.uint32 | np.uint64]:
        """Return ``n_words`` words of state."""
        size = n_words * np.dtype(dtype).itemsize
        return np.frombuffer(blake2b(self.seed.to_bytes(SEED_BYTES, "little"), digest_size=size).digest(), dtype)


def seeded(seed: int) -> np.random.Generator:
    """Return the generator of one decision: PCG64, of which ``random()`` alone is used."""
    return np.random.Generator(np.random.PCG64(Spread(seed)))  # type: ignore[arg-type]  # the stubs forget ISeedSequence


def seed_of(rng: np.random.Generator) -> int:
    """Return the seed that ``seeded`` was given."""
    return int(rng.bit_generator.seed_seq.seed)  # type: ignore[attr-defined]  # every seeded generator has it


def explore(
    greedy: Ordinals,
    slots: int,
    *,
    epsilon: float,
    rng: np.random.Generator,
    pins: Mapping[int, int],
    values: Floats | None = None,
    draw: Draw | None = None,
) -> Slate:
    """Fill ``slots`` from rows in greedy order, exploring at each slot with probability ``epsilon``.

    At a slot that explores, each of the n rows that are left is equally likely, so a row's propensity given the slots
    before is (1 − ε)·[it is the best left] + ε/n; with ``draw`` it is (1 − ε)·(its chance of being drawn) + ε/n, and a
    slot counts as explored where another row than the best left stands. ``values`` are all rows' scores after rules.
    Pinned rows take part in no draw: their propensity is 1, and where rows run out they move up. One number is drawn
    per slot, pinned or not.

    >>> explore(np.array([2, 0, 1]), 2, epsilon=0.0, rng=seeded(1), pins={0: 1})
    Slate(rows=(1, 2), propensity=(1.0, 1.0), explored=frozenset(), pinned=frozenset({0}))
    """
    fixed = set(pins.values())
    left = [row for row in greedy.tolist() if row not in fixed] if fixed else greedy.tolist()
    count = min(slots, len(greedy))
    draws = rng.random(count).tolist() if epsilon > 0.0 or draw is not None else [1.0] * count
    waiting = [pins[slot] for slot in sorted(pins)]
    rows: list[int] = []
    propensity: list[float] = []
    explored, pinned = [], []
    for slot, drawn in enumerate(draws):
        if slot in pins or not left:
            rows.append(waiting.pop(0))
            propensity.append(1.0)
            pinned.append(slot)
            continue
        size = len(left)
        if draw is not None and values is not None:
            chances = mixed(draw.chances(np.array(left, dtype=np.int64), values), epsilon)
            pick = int(picked(chances, drawn))
            likely, curious = float(chances[pick]), pick != 0
        else:
            curious = drawn < epsilon
            pick = min(int(drawn / epsilon * size), size - 1) if curious else 0
            likely = epsilon / size + (1.0 - epsilon if pick == 0 else 0.0)
        if curious:
            explored.append(slot)
        rows.append(left.pop(pick))
        propensity.append(1.0 if size == 1 else likely)
    return Slate(tuple(rows), tuple(propensity), frozenset(explored), frozenset(pinned))


def mixed(chances: Floats, epsilon: float) -> Floats:
    """Return the chances with a share ``epsilon`` spread evenly over all."""
    return (1.0 - epsilon) * chances + epsilon / len(chances)


def picked(chances: Floats, drawn: float | Floats) -> NDArray[np.intp]:
    """Return the place that each number of [0, 1) draws, by inverting the distribution; one without a chance is never
    drawn."""
    reached = chances.cumsum()
    end = reached[-1]
    places: NDArray[np.intp] = np.searchsorted(
        reached, np.minimum(np.multiply(drawn, end), np.nextafter(end, 0.0)), side="right"
    )
    return places


def likelihood(choice: Choice, shown: Sequence[int]) -> tuple[float, ...]:
    """Return with what probability ``choice`` would have put each of the ordinals ``shown`` where it stood, given those
    before it: what ``explore`` says of its own choice, said of another's."""
    row_of = {int(ordinal): row for row, ordinal in enumerate(choice.ordinals.tolist())}
    fixed = set(choice.pins.values())
    left = [row for row in choice.greedy.tolist() if row not in fixed]
    waiting = [choice.pins[slot] for slot in sorted(choice.pins)]
    room = min(choice.slots, len(choice.greedy))
    found = []
    for slot, ordinal in enumerate(shown):
        row = row_of.get(ordinal)
        if slot >= room:
            found.append(0.0)
        elif slot in choice.pins or not left:
            found.append(1.0 if waiting and waiting.pop(0) == row else 0.0)
        elif row is None or row not in left:
            found.append(0.0)
        else:
            found.append(_chance(choice, left, left.index(row)))
            left.remove(row)
    return tuple(found)


def _chance(choice: Choice, left: list[int], place: int) -> float:
    size = len(left)
    if size == 1:
        return 1.0
    if choice.draw is not None:
        chances = mixed(choice.draw.chances(np.array(left, dtype=np.int64), choice.values), choice.epsilon)
        return float(chances[place])
    return choice.epsilon / size + (1.0 - choice.epsilon if place == 0 else 0.0)
