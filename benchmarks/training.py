"""Training from the lake against bare LightGBM on the same rows: time and peak memory, each in a process of its own."""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from benchmarks.figures import Figure
from fairlead.settings import Settings
from fairlead.wiring import Store, open_existing, open_store
from storage import catalogue
from storage.parquet import SCHEMAS
from storage.records.clock import DAY, SECOND
from storage.records.items import Item

SLOTS, ITEMS, CONTEXTS = 5, 1_000, 20_000
FILE_SESSIONS = 100_000
START = 1_700_000_000 * SECOND
NOW = START + 60 * DAY
TIMES, PEAK_GIB = 1.3, 12.0

ITEM_STRINGS = {"brand": 50, "category": 12, "season": 4, "size": 8, "colour": 20}
ITEM_NUMBERS = ("price", "margin", "rating", "age", "sustainability")
CONTEXT_STRINGS = {"device": 3, "region": 12, "referrer": 6, "plan": 4}
CONTEXT_NUMBERS = ("hour", "weekday", "visits", "minutes")


def items(rng: np.random.Generator) -> list[Item]:
    """Return a catalogue with ten attributes."""
    return [
        Item(
            item_id=f"i{number}",
            attributes={name: f"{name}-{rng.integers(0, levels)}" for name, levels in ITEM_STRINGS.items()}
            | {name: round(float(rng.random()), 3) for name in ITEM_NUMBERS},
        )
        for number in range(ITEMS)
    ]


def contexts(rng: np.random.Generator) -> pa.Array:
    """Return the circumstances that sessions come in, as the lake keeps them."""
    return pa.array(
        [
            orjson.dumps(
                {name: f"{name}-{rng.integers(0, levels)}" for name, levels in CONTEXT_STRINGS.items()}
                | {name: round(float(rng.random()), 3) for name in CONTEXT_NUMBERS},
                option=orjson.OPT_SORT_KEYS,
            ).decode()
            for _ in range(CONTEXTS)
        ]
    )


def filled(kind: str, rows: int, columns: dict[str, Any]) -> pa.Table:
    """Return a table of the lake's schema; what is not given is null, and a single value stands in every row."""
    schema = SCHEMAS[kind]  # type: ignore[index]  # one of its keys
    arrays = [
        pa.nulls(rows, each.type)
        if each.name not in columns
        else columns[each.name]
        if isinstance(columns[each.name], pa.Array | pa.ChunkedArray)
        else pa.repeat(pa.scalar(columns[each.name], type=each.type), rows)
        for each in schema
    ]
    return pa.table(arrays, names=schema.names).cast(schema)


def fill(store: Store, sessions: int, *, seed: int = 1) -> None:
    """Write so many decisions of five slots each, and the clicks that followed, as an import would."""
    rng = np.random.Generator(np.random.PCG64(seed))
    known, told = items(rng), contexts(rng)
    liked = np.array([[item.attributes[name] for name in ITEM_NUMBERS[:2]] for item in known], dtype=np.float64)
    hour = np.array([orjson.loads(each.as_py())["hour"] for each in told])
    names = pa.array([item.item_id for item in known])
    with store.database.write() as write:
        catalogue.upsert(write, known, now=START)
    for first in range(0, sessions, FILE_SESSIONS):
        rows = min(FILE_SESSIONS, sessions - first)
        numbers = np.arange(first, first + rows)
        at = START + (numbers * (14 * DAY / sessions)).astype(np.int64)
        ids = pa.array(np.char.mod("d%09d", numbers).tolist())
        where = rng.integers(0, CONTEXTS, rows)
        chosen = (
            rng.integers(0, ITEMS, rows)[:, None] + rng.integers(1, 190, rows)[:, None] * np.arange(SLOTS)
        ) % ITEMS
        ends = pa.array(np.arange(0, (rows + 1) * SLOTS, SLOTS, dtype=np.int32))
        served = pa.ListArray.from_arrays(ends, names.take(pa.array(chosen.ravel())))
        fits = np.where(hour[where, None] < 0.5, liked[chosen, 0], liked[chosen, 1])  # nobody is popular all day
        chance = 1.0 / (1.0 + np.exp(4.5 - 3.0 * fits))
        row, slot = np.nonzero(rng.random(chosen.shape) < chance)
        common = {"replica": "import", "log": "l", "surface": "home", "origin": "imported", "campaign": "all"}
        decisions = filled("decisions", rows, {
            **common, "decision_id": ids, "at": pa.array(at), "sequence": 0, "slots": SLOTS, "revision": 0,
            "consent_epoch": 0, "policy": "random", "served_by": "rules", "reason": "imported", "items": served,
            "context": told.take(pa.array(where)), "assume_impression": True, "join_window_s": 86_400,
            "propensity": pa.ListArray.from_arrays(ends, pa.array(rng.uniform(0.02, 0.5, rows * SLOTS))),
            "propensity_kind": "conditional", "seq": pa.array(numbers),
        })  # fmt: skip
        clicks = filled("events", len(row), {
            **common, "event_id": pa.array([f"c{first}-{place}" for place in range(len(row))]), "type": "click",
            "at": pa.array(at[row] + SECOND), "received_at": pa.array(at[row] + SECOND), "stored": "full",
            "item": names.take(pa.array(chosen[row, slot])), "decision_id": ids.take(pa.array(row)),
            "seq": pa.array(np.arange(len(row)) + first * SLOTS),
        })  # fmt: skip
        for kind, table in (("decisions", decisions), ("events", clicks)):
            file = store.lake.stage(
                kind,
                replica="import",
                log=kind,
                from_seq=first,
                to_seq=first + rows - 1,
                origin="imported",
                records=table,
            )
            with store.database.write() as write:
                store.lake.register(write, file, now=NOW)


def ours(store: Store, *, name: str, members: int, trees: int, stream: bool | None) -> dict[str, Any]:
    """Train as the job does: joined, weighted, boosted, evaluated, calibrated, checked bit by bit, written. What comes
    after the boosting is counted, and told on its own too."""
    from scoring_core.learning import train as training

    judged, spent = training.judged, 0.0

    def clocked(*given: Any, **named: Any) -> Any:
        nonlocal spent
        began = time.process_time()
        found = judged(*given, **named)
        spent = time.process_time() - began
        return found

    training.judged = clocked
    model = training.train(
        store.database, store.lake, store.home, now=NOW, seed=1, name=name, members=members, trees=trees, stream=stream
    )
    return {
        "rows": model.lineage["trained"]["rows"],
        "evaluation": model.evaluation["sentence"],
        "calibration": model.evaluation["calibration"],
        "judging_cpu_s": spent,
    }


def matrix(store: Store, folder: Path) -> dict[str, Any]:
    """Write the very rows that training sees as a matrix, for the floor."""
    from scoring_core.learning.datasets import describe_features, feature_table
    from scoring_core.learning.train import prepare

    prepared = prepare(store.database, store.lake, now=NOW, origins=("imported",))
    features, categories = describe_features(prepared.past, prepared.shelf)
    table = feature_table(prepared.past, features, categories=categories, shelf=prepared.shelf)
    np.save(folder / "rows.npy", table)
    np.save(folder / "clicked.npy", prepared.past.clicked)
    np.save(folder / "weight.npy", prepared.past.weight)
    return {"rows": len(table), "features": len(features)}


def bare(folder: Path, *, trees: int) -> dict[str, Any]:
    """Read the matrix and boost as many trees in one model with the same parameters: LightGBM and nothing else."""
    import lightgbm

    from scoring_core.learning.boosting import parameters

    rows, clicked, weight = (np.load(folder / f"{name}.npy") for name in ("rows", "clicked", "weight"))
    wanted = parameters("binary", len(rows))
    lightgbm.train(wanted, lightgbm.Dataset(rows, clicked, weight=weight), num_boost_round=trees)
    return {"rows": len(rows)}


def child(what: str, home: Path, folder: Path, asked: dict[str, Any]) -> int:
    """Do one part and tell its seconds and peak memory."""
    store = open_existing(Settings(home=home))
    imported = time.monotonic(), time.process_time()
    match what:
        case "ours":
            told = ours(store, **asked)
        case "matrix":
            told = matrix(store, folder)
        case _:
            told = bare(folder, **asked)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    seconds = {"wall_s": time.monotonic() - imported[0], "cpu_s": time.process_time() - imported[1]}
    print(json.dumps({**told, **seconds, "peak_gib": peak}))
    return 0


def run(what: str, home: Path, folder: Path, **asked: Any) -> dict[str, Any]:
    """Do one part in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.training", what, str(home), str(folder), json.dumps(asked)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-2_000:])
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(f"{what} {asked}: {found}", file=sys.stderr, flush=True)
    return found


def compared(sessions: int) -> None:
    """Print time and memory at 200 trees against bare LightGBM before and after, in memory and by the disk."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        fill(open_store(Settings(home=home)), sessions)
        made = run("matrix", home, Path(folder))
        floors = [run("bare", home, Path(folder), trees=200)]
        found = {
            way: run("ours", home, Path(folder), name=way, members=10, trees=20, stream=stream)
            for way, stream in (("memory", None), ("disk", True))
        }
        floors.append(run("bare", home, Path(folder), trees=200))
    floor = {key: sum(each[key] for each in floors) / len(floors) for key in ("cpu_s", "peak_gib")}
    beside = "told beside the whole"
    for way, one in found.items():
        where = {"memory": "in memory", "disk": "by the disk"}[way]
        raw = {"ours": one, "bare": floors, "features": made["features"], "sessions": sessions}
        for bench, value, key, unit, target in (
            ("training", one["cpu_s"], "cpu_s", "CPU seconds from the lake to a registered model", None),
            ("training.boosted", one["cpu_s"] - one["judging_cpu_s"], "cpu_s", "CPU seconds without judging", beside),
            ("training.memory", one["peak_gib"], "peak_gib", "GiB peak memory", "told beside bare LightGBM's"),
        ):
            ratio = value / floor[key]
            Figure(
                bench=bench,
                value=value,
                unit=f"{unit}, {sessions:,} sessions × {SLOTS}, {where}",
                floor=floor[key],
                ratio=ratio,
                target=target or f"≤ {TIMES} × bare LightGBM on the same rows, 200 trees",
                ok=target is not None or ratio <= TIMES,
                raw=raw,
            ).print()


def large(sessions: int) -> None:
    """Print time and peak memory of one training by the disk with 20 trees."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        fill(open_store(Settings(home=home)), sessions)
        found = run("ours", home, Path(folder), name="large", members=1, trees=20, stream=True)
        Figure(
            bench="training.large",
            value=found["peak_gib"],
            unit=f"GiB peak memory, {sessions:,} sessions × {SLOTS}, 20 trees; {found['cpu_s']:,.0f} CPU s",
            floor=None,
            ratio=None,
            target=f"≤ {PEAK_GIB:.0f} GiB",
            ok=found["peak_gib"] <= PEAK_GIB,
            raw={**found, "sessions": sessions},
        ).print()


def main() -> int:
    """Print the figures: at ``FAIRLEAD_BENCH_SESSIONS``, and once at ``FAIRLEAD_BENCH_LARGE_SESSIONS`` (0: neither)."""
    if few := int(os.environ.get("FAIRLEAD_BENCH_SESSIONS", "1000000")):
        compared(few)
    if many := int(os.environ.get("FAIRLEAD_BENCH_LARGE_SESSIONS", "12000000")):
        large(many)
    return 0


if __name__ == "__main__":
    if len(sys.argv) == 5:
        sys.exit(child(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), json.loads(sys.argv[4])))
    sys.exit(main())
