"""A table of one's own, read by columns: CSV or Parquet, from a file."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
from pyarrow import csv, parquet

from storage.errors import Invalid, NotFound, Problem
from storage.tabular import format_of


def own_table(path: Path, columns: Sequence[str]) -> pa.Table:
    """Return the named columns of a file, dictionaries decoded.

    Raises
    ------
    NotFound, Invalid
        If there is no such file, it cannot be read, or it lacks a column.
    """
    if not path.is_file():
        raise NotFound("there is no such file; name a CSV or Parquet file")
    form = format_of(path.name)
    if form not in {"csv", "parquet"}:
        raise Invalid("the file must be CSV or Parquet")
    wanted = list(dict.fromkeys(columns))
    try:
        if form == "parquet":
            _require(parquet.read_schema(path).names, wanted)
            table = parquet.read_table(path, columns=wanted)
        else:
            delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
            options = csv.ConvertOptions(strings_can_be_null=True, quoted_strings_can_be_null=False)
            table = csv.read_csv(path, parse_options=csv.ParseOptions(delimiter=delimiter), convert_options=options)
            _require(table.column_names, wanted)
            table = table.select(wanted)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise Invalid(f"the file is no readable {form.upper()}: {type(error).__name__}; write it anew") from None
    for place, column in enumerate(table.schema):
        if pa.types.is_dictionary(column.type):
            table = table.set_column(place, column.name, table.column(place).cast(column.type.value_type))
    return table


def _require(held: Sequence[str], wanted: Sequence[str]) -> None:
    missing = [name for name in wanted if name not in held]
    if missing:
        problems = tuple(Problem(field=name, message="the table has no such column") for name in missing)
        raise Invalid(f"the table lacks a column: {', '.join(missing)}; it has {', '.join(held)}", problems=problems)
