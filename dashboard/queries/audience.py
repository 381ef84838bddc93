"""Segments and forecasts as the Segments page reads them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from governance.audience import SHOWN_FROM, Audience, audience
from governance.forecasting import ForecastView, forecasts
from governance.installation import installation
from storage import segments
from storage.database import Read
from storage.records.segments import SegmentRule

Sizes = Mapping[str, Sequence[tuple[int, int | None]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Everything the page reads from the database; ``own`` are the installation's own words about segments."""

    audience: Audience
    forecasts: tuple[ForecastView, ...]
    own: Mapping[str, SegmentRule]


def state(read: Read, *, exact: bool) -> State:
    """Return segments and forecasts; without ``exact`` small groups are not counted out."""
    return State(audience=audience(read, exact=exact), forecasts=forecasts(read), own=installation(read).segments)


def sizes(read: Read, *, start: int, end: int, exact: bool) -> Sizes:
    """Return how large each segment was, hour by hour; None where a group is too small to be shown."""
    return {
        key: [(at, people if exact or people >= SHOWN_FROM else None) for at, people in row]
        for key, row in segments.history(read, start=start, end=end).items()
    }
