"""What lies in the wheel of the Open Bandit data: rows checked one by one, items with features from one folder."""

import csv
import io
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import csv as arrow_csv

from storage.errors import Invalid
from storage.records.items import Item

ROOT = "obp/dataset/obd"
POLICIES = ("random", "bts")
CAMPAIGNS = ("all", "men", "women")
FEATURES = tuple(f"user_feature_{place}" for place in range(4))
CATEGORIES = tuple(f"item_feature_{place}" for place in range(1, 4))
_NUMBER = "item_feature_0"
_COLUMNS = ("timestamp", "item_id", "position", "click", "propensity_score", *FEATURES)
_LARGEST = 64 << 20


@dataclass(frozen=True, slots=True)
class Logged:
    """The good rows of one file as columns, and how many were refused for which reason."""

    at: NDArray[np.int64]
    row: NDArray[np.int64]
    item: NDArray[np.int64]
    position: NDArray[np.int64]
    click: NDArray[np.bool_]
    propensity: NDArray[np.float64]
    features: pa.Table
    refused: Counter[str] = field(default_factory=Counter)


class Wheel:
    """The wheel, opened for reading; it is never installed.

    Parameters
    ----------
    path
        Where the file is.

    Raises
    ------
    Invalid
        If it is not a wheel, or not this one.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
        except (OSError, zipfile.BadZipFile) as error:
            raise Invalid(f"{path.name} cannot be read as a wheel; download it again") from error

    def __enter__(self) -> "Wheel":
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def _bytes(self, name: str) -> bytes:
        try:
            if self._zip.getinfo(name).file_size > _LARGEST:
                raise Invalid(f"{name} in the wheel is larger than it can be")
            return self._zip.read(name)
        except (KeyError, zipfile.BadZipFile, EOFError) as error:
            raise Invalid(f"the wheel holds no readable {name}; is it obp 0.4.1?") from error

    def size(self, policy: str, campaign: str) -> int:
        """Return how many rows a file claims to have."""
        return max(self._bytes(f"{ROOT}/{policy}/{campaign}/{campaign}.csv").count(b"\n") - 1, 0)

    def items(self, campaign: str) -> tuple[dict[int, Item], list[str]]:
        """Return a campaign's items by their number, and notes on what was left out.

        Categories are hashed with another salt in each policy's folder, so they come from the first folder alone;
        one by which the two folders divide the items differently is left out.
        """
        tables = [self._context(policy, campaign) for policy in POLICIES]
        notes: list[str] = []
        if len({frozenset(table) for table in tables}) > 1:
            notes.append(f"{campaign}: the two folders list different items; the first folder's are kept")
        names = []
        for name in CATEGORIES:
            if len({_partition(table, name) for table in tables}) == 1:
                names.append(name)
            else:
                notes.append(f"{campaign}: {name} divides the items differently in the two folders; left out")
        found: dict[int, Item] = {}
        for number, row in tables[0].items():
            attributes: dict[str, Any] = {"campaign": campaign} | {name: row[name] for name in names}
            measured = _float(row.get(_NUMBER))
            if measured is not None:
                attributes[_NUMBER] = measured
            item_id = f"{campaign}-{number}"
            found[number] = Item(item_id=item_id, title=f"Item {number} ({campaign})", attributes=attributes)
        return found, notes

    def _context(self, policy: str, campaign: str) -> dict[int, dict[str, str]]:
        name = f"{ROOT}/{policy}/{campaign}/item_context.csv"
        rows = csv.DictReader(io.StringIO(self._bytes(name).decode("utf-8", "replace")))
        if not {"item_id", *CATEGORIES}.issubset(rows.fieldnames or ()):
            raise Invalid(f"{name} lacks the columns of an item list; is it obp 0.4.1?")
        found = {}
        for row in rows:
            number = _float(row["item_id"])
            if number is not None and number.is_integer():
                found[int(number)] = row
        return found

    def logged(self, policy: str, campaign: str, *, items: frozenset[int]) -> Logged:
        """Return the rows of one file; a row that lacks what an impression needs is refused and counted."""
        name = f"{ROOT}/{policy}/{campaign}/{campaign}.csv"
        refused: Counter[str] = Counter()

        def odd(_row: Any) -> str:
            refused["columns"] += 1
            return "skip"

        try:
            table = arrow_csv.read_csv(
                io.BytesIO(self._bytes(name)),
                parse_options=arrow_csv.ParseOptions(invalid_row_handler=odd),
                convert_options=arrow_csv.ConvertOptions(
                    include_columns=_COLUMNS,
                    column_types=dict.fromkeys(_COLUMNS, pa.string()),
                    strings_can_be_null=True,
                    null_values=["", "NaN", "nan", "NULL"],
                    check_utf8=False,
                ),
            )
        except (pa.ArrowInvalid, KeyError) as error:
            raise Invalid(f"{name} lacks the columns of a log; is it obp 0.4.1?") from error
        return _checked(table, items, refused)


def _checked(table: pa.Table, items: frozenset[int], refused: Counter[str]) -> Logged:
    at = _instants(table["timestamp"])
    item = _numbers(table["item_id"])
    position = _numbers(table["position"])
    click = _numbers(table["click"])
    propensity = _numbers(table["propensity_score"])
    good = np.ones(len(table), dtype=bool)
    checks = {
        "timestamp": at >= 0,
        "item": np.isin(item, np.array(sorted(items), dtype=np.float64)),
        "position": (position >= 1) & (position <= 1_000) & (position == np.floor(position)),
        "click": (click == 0) | (click == 1),
        "propensity": (propensity > 0) & (propensity <= 1),
    }
    for reason, holds in checks.items():
        lost = int((good & ~holds).sum())
        if lost:
            refused[reason] += lost
        good &= holds
    return Logged(
        at=at[good],
        row=np.flatnonzero(good),
        item=item[good].astype(np.int64),
        position=position[good].astype(np.int64),
        click=click[good] == 1,
        propensity=propensity[good],
        features=table.select(FEATURES).filter(pa.array(good)),
        refused=refused,
    )


def _partition(table: dict[int, dict[str, str]], name: str) -> frozenset[frozenset[int]]:
    groups: dict[str, set[int]] = {}
    for number, row in table.items():
        groups.setdefault(row[name], set()).add(number)
    return frozenset(frozenset(group) for group in groups.values())


def _float(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if np.isfinite(value) else None


def _numbers(column: pa.ChunkedArray) -> NDArray[np.float64]:
    """Return a text column as numbers, NaN where a text is none."""
    try:
        parsed = pc.cast(column, pa.float64())
    except pa.ArrowInvalid:
        parsed = pa.array([_float(text) for text in _texts(column)], pa.float64())
    values: NDArray[np.float64] = (
        parsed.to_numpy(zero_copy_only=False) if isinstance(parsed, pa.Array) else parsed.to_numpy()
    )
    return values


def _texts(column: pa.ChunkedArray) -> Iterator[str | None]:
    for value in column.cast(pa.binary()).to_pylist():
        yield None if value is None else value.decode("utf-8", "replace")


def _instants(column: pa.ChunkedArray) -> NDArray[np.int64]:
    """Return a text column as microseconds UTC, -1 where a text is no instant or names no zone."""
    try:
        stamps = pc.cast(pc.cast(column, pa.timestamp("us", "UTC")), pa.int64())
    except pa.ArrowInvalid:
        stamps = pa.chunked_array([pa.array([_instant(text) for text in _texts(column)], pa.int64())])
    values: NDArray[np.int64] = pc.fill_null(stamps, -1).to_numpy()
    return values


def _instant(text: str | None) -> int | None:
    try:
        value = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return None if value.tzinfo is None else round(value.timestamp() * 1e6)
