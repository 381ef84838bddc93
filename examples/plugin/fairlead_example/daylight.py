"""An enricher plugin: how long the day is where the visitor says to be."""

from collections.abc import Mapping
from datetime import UTC, datetime
from math import acos, degrees, pi, radians, sin, tan
from typing import Any

TILT = 23.44


class Daylight:
    """Reads ``latitude`` of the context; what it returns are ``plugin.daylight.hours`` and ``plugin.daylight.long``, to
    be asked for by conditions and features."""

    name = "daylight"
    version = "1.0.0"
    protocol = 1
    outputs: Mapping[str, type] = {"hours": float, "long": bool}

    async def enrich(self, asked: Any) -> dict[str, float | bool]:
        """Return the outputs, or none of them; a coroutine may wait for others, within the deadline."""
        latitude = asked.context.get("latitude")
        if not isinstance(latitude, int | float):
            return {}
        hours = length(float(latitude), datetime.fromtimestamp(asked.now / 1e6, UTC).timetuple().tm_yday)
        return {"hours": hours, "long": hours > 12.0}


def length(latitude: float, day: int) -> float:
    """Return the hours of daylight by the sunrise equation.

    >>> round(length(0.0, 80), 1), round(length(60.0, 172), 1)
    (12.0, 18.5)
    """
    declination = radians(TILT) * sin(2.0 * pi * (day - 80) / 365.0)
    angle = -tan(radians(max(-89.0, min(89.0, latitude)))) * tan(declination)
    return degrees(acos(max(-1.0, min(1.0, angle)))) / 7.5
