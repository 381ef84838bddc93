"""LightGBM text models as flat arrays, scored by a compiled kernel to the same bit as LightGBM's own predict."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring_core.scorers.kernel import forest as _forest
from scoring_core.scorers.protocol import Floats
from storage.errors import Invalid

MAX_LEAVES = 64

_CATEGORICAL = 1
_DEFAULT_LEFT = 2
_MISSING_NONE, _MISSING_ZERO = 0, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Forest:
    """Every tree of every member, laid out in a row.

    ``keep`` has, per node, the leaves that stay possible when its test ``value <= threshold`` fails. The nodes of a
    tree are ``node_start[t] … node_start[t + 1]``; from ``missing_right[t]`` on a missing value fails the test.
    ``member_start`` holds each member's first tree.
    """

    columns: int
    feature: NDArray[np.int64]
    threshold: Floats
    keep: NDArray[np.uint64]
    node_start: NDArray[np.int64]
    missing_right: NDArray[np.int64]
    leaf: Floats
    leaf_start: NDArray[np.int64]
    member_start: NDArray[np.int64]

    @property
    def members(self) -> int:
        """How many ensembles the forest holds."""
        return len(self.member_start) - 1

    @property
    def trees(self) -> int:
        """How many trees all members hold together."""
        return len(self.leaf_start) - 1

    def score(self, table: Floats) -> tuple[Floats, Floats]:
        """Return the members' mean per row and each member's raw score, shape (n, members)."""
        if table.shape[1] != self.columns:
            raise ValueError(f"the forest reads {self.columns} columns, the table has {table.shape[1]}")
        means, sums = _forest(
            np.ascontiguousarray(table, dtype=np.float64),
            self.feature,
            self.threshold,
            self.keep,
            self.node_start,
            self.missing_right,
            self.leaf,
            self.leaf_start,
            self.member_start,
        )
        return means, sums


def _fields(block: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in block.splitlines() if "=" in line)


def _blocks(text: str) -> tuple[Mapping[str, str], Iterator[Mapping[str, str]]]:
    header, *trees = text.split("\nTree=")
    return _fields(header), (_fields(tree.split("\n\n", 1)[0]) for tree in trees)


def _check(header: Mapping[str, str], text: str) -> None:
    refusals = {
        "it is no LightGBM text model": "max_feature_idx" not in header,
        "it has more than one class": header.get("num_class") != "1" or header.get("num_tree_per_iteration") != "1",
        "it averages its trees": "\naverage_output\n" in text.split("\nTree=", 1)[0] + "\n",
    }
    for reason, refused in refusals.items():
        if refused:
            raise Invalid(f"the model cannot be compiled: {reason}")


def _numbers(tree: Mapping[str, str], name: str) -> list[str]:
    return tree.get(name, "").split()


def _keep_masks(left: Sequence[int], right: Sequence[int]) -> tuple[list[int], list[int]]:
    """Return, per node, the leaves that stay when it fails (all but those on its left), and the leaves in order."""
    order: list[int] = []
    strike = [0] * len(left)

    def visit(node: int) -> int:
        if node < 0:
            order.append(~node)
            return 1 << (len(order) - 1)
        strike[node] = visit(left[node])
        return strike[node] | visit(right[node])

    visit(0 if left else -1)
    return [~bits & 0xFFFF_FFFF_FFFF_FFFF for bits in strike], order


@dataclass(slots=True)
class _Layout:
    feature: list[int]
    threshold: list[float]
    keep: list[int]
    node_start: list[int]
    missing_right: list[int]
    leaf: list[float]
    leaf_start: list[int]
    member_start: list[int]

    def add(self, tree: Mapping[str, str]) -> None:
        leaves = int(tree["num_leaves"])
        if leaves > MAX_LEAVES:
            raise Invalid(f"the model cannot be compiled: a tree has {leaves} leaves, {MAX_LEAVES} is the most")
        if tree.get("is_linear", "0") != "0":
            raise Invalid("the model cannot be compiled: its leaves are linear models")
        thresholds = [float(value) for value in _numbers(tree, "threshold")]
        fails = [
            _missing_fails(int(kind), bound)
            for kind, bound in zip(_numbers(tree, "decision_type"), thresholds, strict=True)
        ]
        keep, order = _keep_masks(
            [int(child) for child in _numbers(tree, "left_child")],
            [int(child) for child in _numbers(tree, "right_child")],
        )
        features = [int(feature) for feature in _numbers(tree, "split_feature")]
        nodes = sorted(range(len(thresholds)), key=fails.__getitem__)
        self.missing_right.append(len(self.feature) + fails.count(False))
        self.feature += [features[node] for node in nodes]
        self.threshold += [thresholds[node] for node in nodes]
        self.keep += [keep[node] for node in nodes]
        self.node_start.append(len(self.feature))
        values = [float(value) for value in _numbers(tree, "leaf_value")]
        self.leaf += [values[leaf] for leaf in order]
        self.leaf_start.append(len(self.leaf))


def _missing_fails(decision_type: int, threshold: float) -> bool:
    """Tell whether a missing value goes right, as LightGBM's ``NumericalDecision`` would have it."""
    if decision_type & _CATEGORICAL:
        raise Invalid("the model cannot be compiled: it splits on a category; code categories as numbers")
    missing = decision_type >> 2 & 3
    if missing == _MISSING_ZERO:
        raise Invalid("the model cannot be compiled: it was trained with zero_as_missing")
    if missing == _MISSING_NONE:
        return threshold < 0.0
    return not decision_type & _DEFAULT_LEFT


def compile_forest(texts: Sequence[str]) -> Forest:
    """Read the text models of all members.

    Raises
    ------
    Invalid
        If a text is no LightGBM model, or uses what the kernel does not know: categorical splits, linear leaves,
        ``zero_as_missing``, averaged output, several classes, more than 64 leaves.
    """
    layout = _Layout([], [], [], [0], [], [], [0], [0])
    columns = 0
    for text in texts:
        header, trees = _blocks(text)
        _check(header, text)
        try:
            columns = max(columns, int(header["max_feature_idx"]) + 1)
            for tree in trees:
                layout.add(tree)
        except (IndexError, KeyError, ValueError):
            raise Invalid("the model cannot be compiled: its text is damaged") from None
        layout.member_start.append(len(layout.leaf_start) - 1)
    if not layout.leaf:
        raise Invalid("the model cannot be compiled: it holds no tree")
    return Forest(
        columns=columns,
        feature=np.array(layout.feature, np.int64),
        threshold=np.array(layout.threshold, np.float64),
        keep=np.array(layout.keep, np.uint64),
        node_start=np.array(layout.node_start, np.int64),
        missing_right=np.array(layout.missing_right, np.int64),
        leaf=np.array(layout.leaf, np.float64),
        leaf_start=np.array(layout.leaf_start, np.int64),
        member_start=np.array(layout.member_start, np.int64),
    )
