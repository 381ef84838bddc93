"""Whole records of a range: a random sample where there are too many, in the order in which replaying is cheapest."""

from collections.abc import Iterator, Sequence

from storage.database import Read
from storage.lake import Lake
from storage.parquet import SCHEMAS, record
from storage.records.decisions import Decision
from storage.records.events import ItemEpoch

PAGE = 2_000

_WHERE = """
WHERE slots > 0 AND list_contains($origins, origin) AND ($campaign IS NULL OR campaign = $campaign)
  AND ($surface IS NULL OR surface = $surface)
"""


def whole(
    lake: Lake,
    read: Read,
    *,
    start: int,
    end: int,
    origins: Sequence[str],
    campaign: str | None = None,
    surface: str | None = None,
    limit: int,
    seed: int = 1,
) -> tuple[int, Iterator[Decision]]:
    """Return how many decisions there are, and ``limit`` of them at most, each as likely as any other: the same seed
    draws the same. They come by catalogue, replica and item-feature epoch."""
    asked = {"origins": list(origins), "campaign": campaign, "surface": surface}
    names = SCHEMAS["decisions"].names
    columns = ", ".join(f'"{name}"' for name in names)
    once = "SELECT DISTINCT ON (decision_id) * FROM decisions"
    with lake.connect(read, start=start, end=end) as duck:
        found = duck.execute(f"SELECT count(DISTINCT decision_id) FROM decisions {_WHERE}", asked).fetchone()  # noqa: S608  # own words
        total = int(found[0]) if found else 0
        rows = duck.execute(
            f"SELECT {columns} FROM (SELECT * FROM ({once} {_WHERE}) ORDER BY hash(decision_id || $seed) LIMIT $limit) "  # noqa: S608  # own columns, bound values
            'ORDER BY catalogue, replica, item_feature_epoch, revision, "at"',
            {**asked, "seed": str(seed), "limit": limit},
        )
        kept = []
        while page := rows.fetchmany(PAGE):
            kept += [record("decisions", dict(zip(names, row, strict=True))) for row in page]
    return total, iter(kept)


def epochs(lake: Lake, read: Read, *, replica: str, first: int, last: int) -> Iterator[ItemEpoch]:
    """Return a replica's item-feature epochs up to ``last``, from the keyframe before ``first`` on; ``read`` is used
    before the first is asked for."""
    names = SCHEMAS["epochs"].names
    columns = ", ".join(f'"{name}"' for name in names)
    latest = "SELECT max(epoch) FROM epochs WHERE replica = $replica AND epoch <= $first AND keyframe"
    duck = lake.connect(read)

    def every() -> Iterator[ItemEpoch]:
        with duck:
            rows = duck.execute(
                f"SELECT {columns} FROM epochs WHERE replica = $replica AND epoch <= $last AND epoch >= ({latest}) "  # noqa: S608  # own columns, bound values
                "ORDER BY epoch",
                {"replica": replica, "first": first, "last": last},
            )
            while page := rows.fetchmany(PAGE):
                for row in page:
                    yield record("epochs", dict(zip(names, row, strict=True)))

    return every()
