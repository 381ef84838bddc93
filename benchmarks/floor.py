"""The floors: bare Starlette routes that gather the same features and score, with no governance at all.

``lightgbm`` calls LightGBM's own predict, one thread; ``compiled`` calls our compiled trees: the engine with all of
governance off.
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

from benchmarks.installation import CONTEXT_FEATURES, ITEM_FEATURES, MEMBERS, item_id
from scoring_core.scorers.gbdt import member_file
from scoring_core.scorers.trees import compile_forest

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


SCORERS = {"lightgbm": lightgbm_scorer, "compiled": compiled_scorer}


def main() -> None:
    """Serve one floor on a port of this machine."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--scorer", choices=sorted(SCORERS), required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    chosen = parser.parse_args()
    items = np.load(chosen.folder / "items.npy")
    score = SCORERS[chosen.scorer](chosen.folder)
    score(items[:1])

    async def ready(_request: Request) -> Response:
        return Response(b"ok")

    application = Starlette(routes=[Route("/rank", route(score, items), methods=["POST"]), Route("/readyz", ready)])
    uvicorn.run(application, host="127.0.0.1", port=chosen.port, access_log=False, log_level="warning")


if __name__ == "__main__":
    main()
