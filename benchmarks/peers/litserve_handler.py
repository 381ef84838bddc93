"""LitServe's handler: a LitAPI whose workers hold the model."""

import os

import litserve
from fastapi import Request
from ranking import opened


class Ranker(litserve.LitAPI):
    """Ranks candidates."""

    def setup(self, device: str) -> None:  # noqa: ARG002  # LitServe names it
        """Open the ranking, in every worker."""
        self._ranking = opened()

    def decode_request(self, request: Request) -> dict:  # the annotation says what to parse; what comes is its JSON
        """Take plain JSON as it is."""
        return request

    def predict(self, request: dict) -> list[dict]:
        """Rank."""
        return self._ranking.rank(request["candidates"], request["context"], request["slots"])

    def encode_response(self, output: list[dict]) -> dict:
        """Answer plain JSON."""
        return {"items": output}


if __name__ == "__main__":
    server = litserve.LitServer(
        Ranker(api_path="/rank"),
        accelerator="cpu",
        workers_per_device=int(os.environ["FAIRLEAD_PEER_WORKERS"]),
        fast_queue=os.environ["FAIRLEAD_PEER_QUEUE"] == "fast",
    )
    server.run(
        host="127.0.0.1",
        port=int(os.environ["FAIRLEAD_PEER_PORT"]),
        num_api_servers=1,
        generate_client_file=False,
        log_level="warning",
        access_log=False,
    )
