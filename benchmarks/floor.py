"""The floors: bare Starlette routes that gather the same features and score, with no governance at all.

``lightgbm`` calls LightGBM's own predict, one thread. ``ungoverned`` is the engine with all of governance off (ADR
0010): our feature table with the person's vector, our compiled trees, a sort, the answer; no consent, policy, rules,
caps, confidence, exploration, reasons, record, metrics.
"""

import argparse
from collections.abc import Awaitable, Callable
from pathlib import Path

import lightgbm
import numpy as np
import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.installation import CONTEXT_FEATURES, FEATURES, ITEM_FEATURES, MEMBERS, SUBJECTS, item_id
from scoring_core.features.table import FeatureTable
from scoring_core.scorers.gbdt import member_file
from scoring_core.scorers.trees import compile_forest
from scoring_core.shelf import build_shelf, no_statistics
from storage import catalogue
from storage.database import Database
from storage.records.subjects import USER_DIMENSIONS, UserState

Table = np.ndarray


def route(score: Callable[[Table], Table], items: Table) -> Callable[[Request], Awaitable[Response]]:
    """Return the route: parse, gather, score, sort, answer."""
    ordinals = {item_id(number): number for number in range(len(items))}
    context = slice(ITEM_FEATURES, ITEM_FEATURES + CONTEXT_FEATURES)

    async def rank(request: Request) -> Response:
        body = orjson.loads(await request.body())
        candidates = body["candidates"]
        table = items.take([ordinals[item] for item in candidates], axis=0)
        table[:, context] = [body["context"][f"c{number}"] for number in range(CONTEXT_FEATURES)]
        scores = score(table)
        best = np.argsort(-scores)[: body["slots"]]
        return Response(
            orjson.dumps({"items": [{"item": candidates[place], "score": float(scores[place])} for place in best]}),
            media_type="application/json",
        )

    return rank


def lightgbm_scorer(folder: Path) -> Callable[[Table], Table]:
    """Return LightGBM's own predict, one thread, of one booster with as many trees as all members together."""
    booster = lightgbm.Booster(model_file=str(folder / "floor.txt"))
    return lambda table: booster.predict(table, raw_score=True, num_threads=1)


def compiled_scorer(folder: Path) -> Callable[[Table], Table]:
    """Return our compiled trees, every member's sum in the same pass."""
    forest = compile_forest([(folder / member_file(member)).read_text() for member in range(MEMBERS)])
    return lambda table: forest.score(table)[0]


def bare(folder: Path) -> Callable[[Request], Awaitable[Response]]:
    """Return the bare route over LightGBM."""
    return route(lightgbm_scorer(folder), np.load(folder / "items.npy"))


def ungoverned(folder: Path) -> Callable[[Request], Awaitable[Response]]:
    """Return the route that scores as the engine does, and does nothing else."""
    database = Database(f"sqlite:///{folder.parents[2] / 'fairlead.db'}")
    with database.read() as read:
        shelf = build_shelf(catalogue.load(read))
    database.close()
    table, score = FeatureTable(FEATURES, shelf), compiled_scorer(folder)
    features = no_statistics(shelf, epoch=1)
    rng = np.random.default_rng(5)
    vectors = rng.normal(size=(SUBJECTS, USER_DIMENSIONS)).astype("<f4")
    users = {
        f"u-{number}": UserState(vector=vector.tobytes(), updated_at=0, events=3)
        for number, vector in enumerate(vectors)
    }

    async def rank(request: Request) -> Response:
        body = orjson.loads(await request.body())
        candidates = body["candidates"]
        ordinals = np.array([shelf.ordinals[item] for item in candidates])
        scores = score(table.rows(ordinals, body["context"], users[body["subject"]], features))
        best = np.argsort(-scores)[: body["slots"]]
        return Response(
            orjson.dumps({"items": [{"item": candidates[place], "score": float(scores[place])} for place in best]}),
            media_type="application/json",
        )

    return rank


SCORERS = {"lightgbm": lightgbm_scorer, "compiled": compiled_scorer}
FLOORS = {"lightgbm": bare, "ungoverned": ungoverned}


def main() -> None:
    """Serve one floor on a port of this machine."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--floor", choices=sorted(FLOORS), required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    chosen = parser.parse_args()
    rank = FLOORS[chosen.floor](chosen.folder)

    async def ready(_request: Request) -> Response:
        return Response(b"ok")

    application = Starlette(routes=[Route("/rank", rank, methods=["POST"]), Route("/readyz", ready)])
    uvicorn.run(application, host="127.0.0.1", port=chosen.port, access_log=False, log_level="warning")


if __name__ == "__main__":
    main()
