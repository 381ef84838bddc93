"""BentoML's handler: one service, one asynchronous method, so that no thread pool stands between."""

import os

import bentoml
from ranking import opened


@bentoml.service(
    workers=int(os.environ["FAIRLEAD_PEER_WORKERS"]),
    metrics={"enabled": False},
    logging={"access": {"enabled": False}},
)
class Ranker:
    """Ranks candidates."""

    def __init__(self) -> None:
        self._ranking = opened()

    @bentoml.api
    async def rank(self, candidates: list[str], context: dict[str, float], slots: int) -> dict:
        """Answer plain JSON."""
        return {"items": self._ranking.rank(candidates, context, slots)}
