"""Evidently's drift report on the rows of an audit, as HTML and JSON, to keep beside our own figures."""

import os
from collections.abc import Sequence
from typing import Any

from governance.checks.columns import Column

REPORT_ROWS = 50_000
"""How many rows of each window the report may read, evenly thinned; our own figures use all."""
METHODS = {"numbers": "wasserstein", "categories": "jensenshannon"}
"""Pinned, so that a growing sample does not silently switch the measure."""


def evidently_report(columns: Sequence[tuple[Column, int]]) -> dict[str, bytes]:
    """Return the report of columns, each with the row at which its current window begins. Columns need not be of one
    length: Evidently leaves out what is missing, column by column."""
    os.environ["DO_NOT_TRACK"] = "1"
    import pandas
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    told = [(column, cut) for column, cut in columns if all(_window(column, cut, side).told() for side in (0, 1))]
    definition = DataDefinition(
        numerical_columns=[column.feature for column, _ in told if column.numbers is not None],
        categorical_columns=[column.feature for column, _ in told if column.numbers is None],
    )
    reference, current = (
        Dataset.from_pandas(
            pandas.DataFrame(
                {column.feature: pandas.Series(_thinned(_window(column, cut, side).plain())) for column, cut in told}
            ),
            data_definition=definition,
        )
        for side in (0, 1)
    )
    preset = DataDriftPreset(num_method=METHODS["numbers"], cat_method=METHODS["categories"])
    snapshot = Report([preset], include_tests=True).run(current, reference)
    return {
        "evidently.html": snapshot.get_html_str(as_iframe=False).encode(),
        "evidently.json": snapshot.json().encode(),
    }


def _window(column: Column, cut: int, side: int) -> Column:
    return column.cut(slice(0, cut) if side == 0 else slice(cut, None))


def _thinned(values: Any) -> Any:
    return values[:: max(1, -(-len(values) // REPORT_ROWS))]
