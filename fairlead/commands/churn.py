"""Whether what is told of people comes true: ``fairlead bench churn``."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from fairlead.commands.options import Json
from fairlead.console import emit, say
from storage.errors import Unavailable


def churn(
    *,
    data: Annotated[Path, typer.Option("--data", help="UCI Online Retail as one parquet file.")],
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of training.")] = 1,
    as_json: Json = False,
) -> None:
    """Measure churn (no purchase in 60 days), value and next action beside one-line rules; takes a minute."""
    from scoring_core.learning.retail_people import METRICS, forecasts

    try:
        found = forecasts(data, seed=seed, say=say)
    except ImportError as error:
        raise Unavailable(f"{error.name} is not installed; install fairlead[learning]") from None
    emit(
        found if as_json else [row for name in METRICS for row in _rows(name, found[name])],
        as_json=as_json,
    )


def _rows(name: str, figures: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    for rule, compared in figures["rules"].items():
        yield {
            "forecast": name,
            "metric": figures["metric"],
            "model": f"{compared['model']:.4f}",
            "rule": rule,
            "of the rule": f"{compared['rival_value']:.4f}",
            "better by, 95 % interval": f"{compared['difference']:+.4f} "
            f"[{compared['difference_low']:+.4f}, {compared['difference_high']:+.4f}]",
            "verdict": compared["verdict"].replace("_", " "),
        }
