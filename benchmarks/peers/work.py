"""The same work for everyone: the items' arrays, the engine's trees as one model, requests, and the right answers."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import lightgbm
import numpy as np

from benchmarks.installation import CONTEXT_FEATURES, ITEM_FEATURES, ITEMS, MEMBERS, TREES, Bench, item_id
from benchmarks.peers.ranking import Ranking

MODEL, ARRAYS, LAYOUT = "model.txt", "items.npy", "layout.json"


def merged(texts: Sequence[str]) -> str:
    """Return one LightGBM model with the trees of all members, in order; its raw score is the members' sum."""
    head, tail = texts[0].split("Tree=0", 1)[0], texts[0].split("end of trees", 1)[1]
    trees = [tree for text in texts for tree in re.split(r"(?m)^Tree=\d+$", text.split("end of trees", 1)[0])[1:]]
    head = re.sub(r"(?m)^tree_sizes=.*\n", "", head)  # without sizes the trees are found by their titles
    return head + "".join(f"Tree={number}{tree}" for number, tree in enumerate(trees)) + "end of trees" + tail


def prepare_work(bench: Bench, folder: Path) -> Ranking:
    """Write arrays, model and layout into a folder and return the ranking that the peers will run.

    Raises
    ------
    RuntimeError
        If the merged model is not the sum of the engine's members.
    """
    table = bench.static_table()
    np.save(folder / ARRAYS, table)
    (folder / MODEL).write_text(merged(bench.texts))
    context = [f"c{number}" for number in range(CONTEXT_FEATURES)]
    layout = {"items": [item_id(number) for number in range(ITEMS)], "context": context, "first": ITEM_FEATURES}
    (folder / LAYOUT).write_text(json.dumps(layout))
    whole = lightgbm.Booster(model_file=str(folder / MODEL))
    members = [lightgbm.Booster(model_str=text).predict(table, raw_score=True) for text in bench.texts]
    if whole.num_trees() != MEMBERS * TREES or not np.allclose(
        whole.predict(table, raw_score=True), np.sum(members, axis=0), atol=1e-9
    ):
        raise RuntimeError("the merged model is not the sum of the engine's members")
    return Ranking(folder)


def plain(body: Mapping[str, object]) -> dict[str, object]:
    """Return a request as the peers' handlers take it: ids, context and how many."""
    return {name: body[name] for name in ("candidates", "context", "slots")}


def protocol(body: Mapping[str, object]) -> dict[str, object]:
    """Return the same request in the inference protocol."""
    candidates, context = body["candidates"], body["context"]
    assert isinstance(candidates, list) and isinstance(context, dict)
    return {
        "inputs": [
            {"name": "candidates", "datatype": "BYTES", "shape": [len(candidates), 1], "data": candidates},
            {"name": "context", "datatype": "FP64", "shape": [len(context)], "data": list(context.values())},
            {"name": "slots", "datatype": "INT32", "shape": [1], "data": [body["slots"]]},
        ]
    }


def named_items(answer: bytes) -> list[str]:
    """Return the items that an answer names, in its order, whatever its form."""
    return re.findall(r"item-\d+", answer.decode())
