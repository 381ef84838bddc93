"""Figures of an industry that an installation brings along; none comes with the house."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from storage.records.document import document

METRICS: Mapping[str, str] = {
    "click_rate": "clicks per impression",
    "conversion_rate": "impressions that reached their campaign's goal, per impression",
    "hit_rate": "decisions with a click, of decisions with an impression",
    "return_rate": "people who came back in the week after the one they were first seen in",
}
"""The figures that an industry's can stand beside, and what each is here."""
MOST_ROWS = 500
Words = Annotated[str, Field(min_length=1, max_length=200)]


@document
class Benchmark:
    """One figure of an ``industry``: its ``value`` as a ratio, who says so (``source``), and as of which day (``date``,
    ISO)."""

    metric: str
    industry: Words
    value: Annotated[float, Field(ge=0.0, le=1.0)]
    source: Words
    date: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
