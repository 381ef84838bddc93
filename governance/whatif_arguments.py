"""What a what-if is asked: a scenario, and the traffic that it is tried on."""

from typing import Annotated

from pydantic import Field

from governance.scenario import Scenario
from storage.records.document import document


@document
class WhatIfArguments(Scenario):
    """A scenario, and which traffic it is tried on: the last 24 hours (an off-policy estimate: seven days) where
    nothing is named.

    ``groups`` are attributes of the context, ``providers`` of items; empty means those there are, sensitive ones
    never. ``limit`` is how many decisions are drawn at most, ``slate`` whether weights count the slots above too.
    """

    start: int | None = None
    end: int | None = None
    campaign: str | None = None
    surface: str | None = None
    origins: tuple[str, ...] = ("live", "simulated")
    limit: Annotated[int, Field(ge=100, le=1_000_000)] = 20_000
    groups: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    outcome: str = "click"
    slate: bool = False
    clip: Annotated[float, Field(gt=0.0)] | None = None
    seed: Annotated[int, Field(ge=0)] = 1
