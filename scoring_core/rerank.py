"""Fair re-ranking: every group gets its share of exposure, at a cost that is measured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log2

import numpy as np
from numpy.typing import NDArray

from scoring_core.features.table import Ordinals
from scoring_core.scorers.protocol import Floats

UNKNOWN = -1
"""The group of what has no value of the attribute; nothing is due to it."""
SLACK = 1e-12
PARTS = tuple(1.0 - step / 64 for step in range(33))
NODES = 400
"""How many partial assignments are tried where the plain one does not do."""

Needs = dict[int, float]


@dataclass(frozen=True, slots=True)
class PlannedRerank:
    """The share that every group is due, and the group of each catalogue ordinal (-1: none)."""

    share: float
    groups: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Reranked:
    """The rows in their new order, and the share of NDCG that it cost."""

    order: Ordinals
    cost: float


def rerank(
    planned: PlannedRerank,
    greedy: Ordinals,
    *,
    values: Floats,
    groups: NDArray[np.int64],
    pins: Mapping[int, int],
    slots: int,
) -> Reranked:
    """Reorder ``greedy`` (rows, best first) so that each group gets ``share`` of the exposure that is due to it.

    The exposure of slot j is 1 / log2(1 + j); due to a group is its part of the rows that may be shown. At each slot
    stands the best row with which the slots left can still give every group what it lacks: where an assignment is
    found, the constraint holds. Where none is, all groups get the largest part of their share that is found; where not
    even half of it, the groups to whom least is due do without. Pinned rows keep their slots, and count.

    The cost is 1 − NDCG after ÷ NDCG before (Järvelin, Kekäläinen, TOIS 2002), the scores themselves being the gains,
    the lowest 0.

    References
    ----------
    Singh, Joachims, Fairness of Exposure in Rankings, KDD 2018 (the constraint); Zehlike et al., FA*IR, CIKM 2017, and
    Geyik et al., Fairness-Aware Ranking in Search, KDD 2019 (greedy re-ranking, deterministic); Celis, Straszak,
    Vishnoi, Ranking with Fairness Constraints, ICALP 2018.
    """
    size = min(slots, len(greedy))
    exposure = [1.0 / log2(2 + slot) for slot in range(size)]
    fixed = {slot: row for slot, row in pins.items() if slot < size}
    waiting = [row for row in greedy.tolist() if row not in set(fixed.values())]
    free = [slot for slot in range(size) if slot not in fixed]
    due = _due(greedy, groups, exposure)
    got = _exposures(fixed, groups, exposure)
    needs = _lacking(planned.share, due, got)
    plain = _exposures(dict(zip(free, waiting, strict=False)), groups, exposure)
    if all(plain.get(group, 0.0) >= need - SLACK for group, need in needs.items()):
        return Reranked(greedy, 0.0)
    queues: dict[int, list[int]] = {}
    for row in reversed(waiting):
        queues.setdefault(int(groups[row]), []).append(row)
    place = {row: at for at, row in enumerate(waiting)}
    needs, witness = _possible(planned.share, due, got, queues, [exposure[slot] for slot in free])
    chosen = _chosen(needs, witness, queues, place, [exposure[slot] for slot in free])
    taken = set(chosen)
    order = np.array([*chosen, *[row for row in waiting if row not in taken], *fixed.values()], dtype=np.int64)
    gains = values - values[greedy].min()
    before, after = (_gain(gains, rows, fixed, free, exposure) for rows in (waiting, chosen))
    return Reranked(order, 1.0 - after / before if before > 0.0 else 0.0)


def _due(greedy: Ordinals, groups: NDArray[np.int64], exposure: Sequence[float]) -> Needs:
    """Return the exposure that each group's part of the rows entitles it to."""
    known, counts = np.unique(groups[greedy], return_counts=True)
    pairs = zip(known.tolist(), counts.tolist(), strict=True)
    return {group: sum(exposure) * count / len(greedy) for group, count in pairs if group != UNKNOWN}


def _exposures(at: Mapping[int, int], groups: NDArray[np.int64], exposure: Sequence[float]) -> Needs:
    """Return each group's exposure by the rows ``at`` slots."""
    got: Needs = {}
    for slot, row in at.items():
        group = int(groups[row])
        got[group] = got.get(group, 0.0) + exposure[slot]
    return got


def _lacking(share: float, due: Needs, got: Needs) -> Needs:
    """Return what each group lacks; one that lacks nothing is absent."""
    needs = {group: share * worth - got.get(group, 0.0) for group, worth in due.items()}
    return {group: need for group, need in needs.items() if need > SLACK}


def _possible(
    share: float, due: Needs, got: Needs, queues: Mapping[int, Sequence[int]], exposure: Sequence[float]
) -> tuple[Needs, list[int]]:
    """Return what is lacked of as much of the share as is found to be possible, and groups by slot that give it."""
    left = {group: len(rows) for group, rows in queues.items()}
    due = dict(due)
    while True:
        for part in PARTS:
            needs = _lacking(share * part, due, got)
            witness = _assignment(needs, left, exposure)
            if witness is not None:
                return needs, witness
        del due[min(due, key=lambda group: (due[group], group))]


def _chosen(
    needs: Needs,
    witness: list[int],
    queues: dict[int, list[int]],
    place: Mapping[int, int],
    exposure: Sequence[float],
) -> list[int]:
    """Fill slots of the given exposure, the most exposed first; ``queues`` hold each group's rows, the best last, and
    ``witness`` groups for the slots that meet ``needs``."""
    left = {group: len(rows) for group, rows in queues.items()}
    chosen: list[int] = []
    for slot, worth in enumerate(exposure):
        for group in sorted((each for each in queues if queues[each]), key=lambda each: place[queues[each][-1]]):
            rest = dict(needs)
            _give(rest, group, worth)
            follows = (
                witness[1:]
                if witness and witness[0] == group
                else _assignment(rest, {**left, group: left[group] - 1}, exposure[slot + 1 :])
            )
            if follows is not None:
                break
        else:  # nothing better was found than what was found before
            group, follows = witness[0], witness[1:]
            rest = dict(needs)
            _give(rest, group, worth)
        needs, witness = rest, follows
        left[group] -= 1
        chosen.append(queues[group].pop())
    return chosen


def _assignment(needs: Needs, left: Mapping[int, int], exposure: Sequence[float]) -> list[int] | None:
    """Return groups for the first slots that meet ``needs`` (any may follow), or None where none is found."""
    if sum(needs.values()) > sum(exposure) + SLACK:
        return None
    plain: list[int] = []
    lacking, stock = dict(needs), dict(left)
    for worth in exposure:
        group = max((each for each in lacking if stock.get(each, 0)), key=lambda each: lacking[each], default=None)
        if group is None:
            break
        stock[group] -= 1
        _give(lacking, group, worth)
        plain.append(group)
    if not lacking:
        return plain
    return _searched(needs, dict(left), exposure)


def _searched(needs: Needs, left: dict[int, int], exposure: Sequence[float]) -> list[int] | None:
    """Search assignments depth first, those that give most to whom most lacks before others, ``NODES`` at most."""
    tried = 0

    def search(lacking: Needs, slot: int) -> list[int] | None:
        nonlocal tried
        tried += 1
        if not lacking:
            return []
        if tried > NODES or sum(lacking.values()) > sum(exposure[slot:]) + SLACK:
            return None
        for group in sorted(lacking, key=lambda each: -lacking[each]):
            if not left.get(group, 0):
                return None
            left[group] -= 1
            rest = dict(lacking)
            _give(rest, group, exposure[slot])
            follows = search(rest, slot + 1)
            left[group] += 1
            if follows is not None:
                return [group, *follows]
        return None

    return search(dict(needs), 0)


def _give(needs: Needs, group: int, worth: float) -> None:
    if group in needs:
        needs[group] -= worth
        if needs[group] <= SLACK:
            del needs[group]


def _gain(
    gains: Floats, rows: Sequence[int], fixed: Mapping[int, int], free: Sequence[int], exposure: Sequence[float]
) -> float:
    """Return the discounted cumulative gain of pinned rows and of ``rows`` at the free slots."""
    placed = [*fixed.items(), *zip(free, rows, strict=False)]
    return float(sum(exposure[slot] * gains[row] for slot, row in placed))
