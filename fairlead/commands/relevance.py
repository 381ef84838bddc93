"""How relevant what is found is: ``fairlead bench relevance``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from fairlead.commands.options import Json
from fairlead.console import emit, say
from storage.errors import Unavailable


def relevance(
    *,
    data: Annotated[Path, typer.Option("--data", help="UCI Online Retail as one parquet file.")],
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of training and of the intervals.")] = 1,
    as_json: Json = False,
) -> None:
    """Measure ALS, the hybrid and the ranker on purchases that came later; takes a few minutes."""
    from scoring_core.learning.relevance import relevance as measure

    try:
        found = measure(data, seed=seed, say=say)
    except ImportError as error:
        raise Unavailable(f"{error.name} is not installed; install fairlead[learning]") from None
    if as_json:
        emit(found, as_json=True)
        return
    ways = {name: each for name, each in found.items() if isinstance(each, Mapping) and "recall@20" in each}
    emit([_row(name, each) for name, each in {**ways, **found["differences"]}.items()], as_json=False)
    domains = {name: each for name, each in found["domains"].items() if isinstance(each, Mapping)}
    emit(
        [_row(f"domains: {name}", {found["domains"]["metric"]: each}) for name, each in domains.items()], as_json=False
    )


def _row(name: str, figures: Mapping[str, Any]) -> dict[str, str]:
    return {
        "what": name,
        **{metric: f"{each['value']:.4f}  [{each['low']:.4f}, {each['high']:.4f}]" for metric, each in figures.items()},
    }
