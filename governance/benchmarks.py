"""Figures of an industry: read from a table that somebody brings, checked row by row, kept with their source."""

import csv
import io
from collections.abc import Iterator
from datetime import date
from math import isfinite

from governance.actions import Action, Ground, Step, always, refuse, untagged
from storage import benchmarks
from storage.database import Read, Write
from storage.errors import Conflict, Invalid, Problem
from storage.records.access import Scope
from storage.records.benchmarks import METRICS, MOST_ROWS, Benchmark
from storage.records.clock import moment
from storage.records.document import digest, document, dump, parse

COLUMNS = ("metric", "industry", "value", "source", "date")
TABLE = "benchmarks"
"""The key of the one table."""


@document
class NewBenchmarks:
    """The whole table; an empty one removes all."""

    rows: tuple[Benchmark, ...] = ()


def read_csv(text: str) -> tuple[Benchmark, ...]:
    r"""Read a table with the columns metric, industry, value, source and date.

    ``value`` is a ratio (``0.021``) or a percentage (``2.1 %``).

    Raises
    ------
    Invalid
        With every problem by its line: the table is taken whole or not at all.

    >>> read_csv("metric,industry,value,source,date\nclick_rate,fashion,2.1 %,Report A,2026-01-31\n")[0].value
    0.021
    """
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    try:
        header = [name.strip().lower() for name in next(rows, [])]
        if sorted(header) != sorted(COLUMNS):
            message = f"the first line must name exactly these columns: {', '.join(COLUMNS)}"
            raise Invalid(f"csv: {message}", problems=(Problem(field="csv", message=message),))
        found = [(rows.line_num, dict(zip(header, row, strict=False)), len(row)) for row in rows if any(row)]
    except csv.Error as error:
        message = f"line {rows.line_num}: {error}"
        raise Invalid(f"csv: {message}", problems=(Problem(field="csv", message=message),)) from None
    made: list[Benchmark] = []
    wrong: list[Problem] = []
    for line, row, width in found:
        try:
            if width != len(COLUMNS):
                raise Invalid(f"must have {len(COLUMNS)} cells")
            made.append(parse(Benchmark, {**{name: cell.strip() for name, cell in row.items()}, "value": _ratio(row)}))
        except Invalid as error:
            wrong.append(Problem(field=f"line {line}", message=str(error)))
    refuse(tuple(wrong))
    refuse(tuple(problems(made)))
    return tuple(made)


def _ratio(row: dict[str, str]) -> float:
    said = row["value"].strip()
    try:
        value = float(said.removesuffix("%").strip())
    except ValueError:
        raise Invalid("value: must be a ratio such as 0.021, or a percentage such as 2.1 %") from None
    found = round(value / 100.0, 12) if said.endswith("%") else value
    if not isfinite(found) or not 0.0 <= found <= 1.0:
        raise Invalid("value: must lie between 0 and 1, or 0 % and 100 %")
    return found


def problems(rows: list[Benchmark]) -> Iterator[Problem]:
    """Yield what is wrong with a table."""
    if len(rows) > MOST_ROWS:
        yield Problem(field="rows", message=f"bring at most {MOST_ROWS} figures")
    seen: set[tuple[str, str, str]] = set()
    for place, one in enumerate(rows):
        if one.metric not in METRICS:
            yield Problem(field=f"rows.{place}.metric", message=f"must be one of {', '.join(METRICS)}")
        try:
            date.fromisoformat(one.date)
        except ValueError:
            yield Problem(field=f"rows.{place}.date", message="must be a day such as 2026-01-31")
        key = (one.metric, one.industry, one.source)
        if key in seen:
            yield Problem(field=f"rows.{place}", message="this metric of this industry and source stands here twice")
        seen.add(key)


def etag(read: Read, _key: str = TABLE) -> str:
    """Return the tag of the table."""
    return digest([dump(one.benchmark) for one in benchmarks.listed(read)])


def _put(write: Write, _key: str, payload: NewBenchmarks, ground: Ground) -> Step:
    rows = list(payload.rows)
    late = [
        Problem(field=f"rows.{place}.date", message="lies in the future")
        for place, one in enumerate(rows)
        if one.date > moment(ground.at).date().isoformat()
    ]
    refuse((*problems(rows), *late))
    before = [dump(one.benchmark) for one in benchmarks.listed(write)]
    benchmarks.replace_all(write, rows, author=ground.author, at=ground.at)
    after = [dump(one.benchmark) for one in benchmarks.listed(write)]
    if before == after:
        raise Conflict("the table is like this already")
    return Step(before={"rows": before}, after={"rows": after}, etag=etag(write))


ACTIONS = (
    Action(
        kind="benchmarks.put",
        object_kind="benchmarks",
        scope=Scope.CAMPAIGN_WRITE,
        propose=Scope.CAMPAIGN_WRITE,
        payload=NewBenchmarks,
        level=always("D1"),
        perform=_put,
        etag=untagged,
        publishes=False,
    ),
)
