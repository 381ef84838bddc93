"""The UCI Online Retail data set as people, items and touches, and as they stood at a moment."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring_core.learning.interactions import Interactions
from scoring_core.live import ItemFeatures, Shelf
from scoring_core.scorers.protocol import Floats
from scoring_core.shelf import build_shelf
from storage.errors import Invalid, NotFound
from storage.records.clock import DAY, instant
from storage.records.events import ITEM_STATS
from storage.records.items import Catalogue, Item
from storage.records.subjects import ROLES

ROWS, CUSTOMERS, ITEMS = 397_884, 4_338, 3_877
"""What is left of the 541,909 rows: the customer is known, the quantity and the price are positive."""
COLUMNS = ("Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country")
TREND_DAYS = 30.0
"""The half-life of the trend of an item."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retail:
    """Purchases in order of time; an invoice is one customer's purchases of one moment, as the data set names none.
    An item is its description, its ordinal the description's place in alphabetical order."""

    known: Interactions
    price: Floats = field(repr=False)
    quantity: Floats = field(repr=False)
    descriptions: tuple[str, ...] = field(repr=False)

    def shelf(self, at: int) -> Shelf:
        """Return the catalogue as the sales before ``at`` show it: median price and first sale; what was not sold yet
        is hidden, and nothing but its place is told of it."""
        past = self.known.at < at
        ordinals, prices, times = self.known.ordinal[past], self.price[past], self.known.at[past]
        order = np.argsort(ordinals, kind="stable")
        bounds = np.searchsorted(ordinals[order], np.arange(self.known.items + 1))
        items = []
        for place, description in enumerate(self.descriptions):
            rows = order[bounds[place] : bounds[place + 1]]
            if not len(rows):
                items.append(Item(item_id=str(place), hidden=True))
                continue
            items.append(
                Item(
                    item_id=str(place),
                    title=description,
                    attributes={"price": float(np.median(prices[rows]))},
                    created_at=int(times[rows[0]]),
                )
            )
        return build_shelf(Catalogue(version=1, items=tuple(items)))

    def statistics(self, at: int) -> ItemFeatures:
        """Return popularity (people who bought an item before ``at``) and trend (the same, each faded since)."""
        past, _ = self.known.split(at)
        _, first = np.unique(past.person * past.items + past.ordinal, return_index=True)
        ordinals, age = past.ordinal[first], (at - past.at[first]) / DAY
        values = np.full((past.items, len(ITEM_STATS)), np.nan)
        values[:, ITEM_STATS.index("popularity")] = np.bincount(ordinals, minlength=past.items)
        faded = np.bincount(ordinals, weights=np.exp2(-age / TREND_DAYS), minlength=past.items)
        values[:, ITEM_STATS.index("trend")] = faded
        return ItemFeatures(epoch=0, values=values)


def read_retail(path: Path) -> Retail:
    """Read and clean the data set.

    Raises
    ------
    NotFound, Invalid
        If there is no such file, or it is not the data set.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    try:
        whole: Any = pq.read_table(path, columns=list(COLUMNS))
    except (FileNotFoundError, IsADirectoryError):
        raise NotFound(f"{path} is no file; name the parquet file of UCI Online Retail") from None
    except (pa.ArrowInvalid, pa.ArrowKeyError, pa.ArrowNotImplementedError, OSError):
        raise Invalid(
            f"{path} is not the UCI Online Retail data set as parquet, with the columns {', '.join(COLUMNS)}"
        ) from None
    clean = whole.filter(
        pc.and_(
            pc.is_valid(whole["CustomerID"]),
            pc.and_(pc.greater(whole["Quantity"], 0), pc.greater(whole["UnitPrice"], 0.0)),
        )
    )
    people, person = np.unique(clean["CustomerID"].to_numpy(), return_inverse=True)
    names, item = np.unique(clean["Description"].to_numpy(zero_copy_only=False).astype(str), return_inverse=True)
    if (clean.num_rows, len(people), len(names)) != (ROWS, CUSTOMERS, ITEMS):
        raise Invalid(
            f"{path} is not the UCI Online Retail data set: cleaned it has {clean.num_rows:,} rows of {len(people):,} "
            f"customers and {len(names):,} items, not {ROWS:,} of {CUSTOMERS:,} and {ITEMS:,}"
        )
    at = clean["InvoiceDate"].cast(pa.timestamp("us")).cast(pa.int64()).to_numpy()
    order = np.argsort(at, kind="stable")
    return Retail(
        known=Interactions(
            person=_whole(person[order]),
            ordinal=_whole(item[order]),
            at=_whole(at[order]),
            weight=np.ones(len(order)),
            roles=np.full(len(order), ROLES["commitment"], dtype=np.uint8),
            people=len(people),
            items=len(names),
        ),
        price=clean["UnitPrice"].to_numpy().astype(np.float64)[order],
        quantity=clean["Quantity"].to_numpy().astype(np.float64)[order],
        descriptions=tuple(names.tolist()),
    )


def day(year: int, month: int, number: int) -> int:
    """Return the beginning of a day, microseconds UTC.

    >>> day(1970, 1, 2)
    86400000000
    """
    return instant(datetime(year, month, number, tzinfo=UTC))


def _whole(values: NDArray[Any]) -> NDArray[np.int64]:
    return values.astype(np.int64)
