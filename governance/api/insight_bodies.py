"""What commands about experiments and benchmarks carry."""

from typing import Annotated, Literal

from pydantic import Field

from governance.api.bodies import Name, Text
from storage.records.document import document


@document
class Reveal:
    """Which experiment's results are looked at before their time, and why."""

    key: Name
    origin: Literal["real", "imported", "simulated"]
    reason: Text


@document
class BenchmarkTable:
    """A table of figures as CSV, replacing what there is; a header alone removes all."""

    csv: Annotated[str, Field(max_length=500_000)]
    reason: Text
