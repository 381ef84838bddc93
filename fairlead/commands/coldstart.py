"""What people get who are new, and items that are: ``fairlead bench coldstart``."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from fairlead.commands.options import Json
from fairlead.console import emit, say
from storage.errors import Unavailable


def coldstart(
    *,
    data: Annotated[Path, typer.Option("--data", help="UCI Online Retail as one parquet file.")],
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the held-out items and the intervals.")] = 1,
    as_json: Json = False,
) -> None:
    """Measure content on new customers with a quiz and on items held out of training; takes a minute."""
    from scoring_core.learning.coldstart import coldstart as measure

    try:
        found = measure(data, seed=seed, say=say)
    except ImportError as error:
        raise Unavailable(f"{error.name} is not installed; install fairlead[learning]") from None
    rows = [*_rows("all items", found), *_rows("unseen items", found["unseen"])]
    emit(found if as_json else rows, as_json=as_json)


def _rows(offered: str, found: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    figures = {name: each for name, each in found.items() if isinstance(each, Mapping) and "value" in each}
    for name, figure in {**figures, **found["differences"]}.items():
        yield {
            "offered": offered,
            "what": name,
            "metric": figure["metric"],
            "value": f"{figure['value']:.4f}",
            "95 % interval": f"{figure['low']:.4f} … {figure['high']:.4f}",
        }
