"""MLServer's handler: the inference protocol's route and, without its codecs, a route of our own."""

from mlserver import MLModel, types
from mlserver.codecs import NumpyCodec, StringCodec
from mlserver.handlers import custom_handler
from ranking import opened


class Ranker(MLModel):
    """Ranks candidates."""

    async def load(self) -> bool:
        """Open the ranking."""
        self._ranking = opened()
        return True

    async def predict(self, payload: types.InferenceRequest) -> types.InferenceResponse:
        """Answer the inference protocol: candidates as bytes, context as numbers, slots as one number."""
        candidates, context, slots = payload.inputs
        best = self._ranking.rank(
            StringCodec.decode_input(candidates),
            dict(zip(self._ranking.names, NumpyCodec.decode_input(context).ravel(), strict=True)),
            int(slots.data[0]),
        )
        return types.InferenceResponse(
            model_name=self.name,
            outputs=[
                StringCodec.encode_output("items", [row["item"] for row in best], use_bytes=False),
                types.ResponseOutput(
                    name="scores", shape=[len(best)], datatype="FP64", data=[row["score"] for row in best]
                ),
            ],
        )

    @custom_handler(rest_path="/rank")
    async def rank(self, payload: dict) -> dict:
        """Answer plain JSON."""
        return {"items": self._ranking.rank(payload["candidates"], payload["context"], payload["slots"])}
