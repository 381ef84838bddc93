"""The columns of a table of one's own, CSV or Parquet, one at a time: a wide table never lies in memory whole."""

from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import csv, parquet

from storage.errors import Invalid, NotFound
from storage.tabular import format_of


class OwnColumns:
    """A file's columns by name.

    Of Parquet each is read when it is asked for; CSV is read once, since its columns lie side by side.

    Raises
    ------
    NotFound, Invalid
        If there is no such file, or it is none of the two.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise NotFound(f"there is no file {path.name}; name a CSV or Parquet file")
        self._form = format_of(path.name)
        if self._form not in {"csv", "parquet"}:
            raise Invalid("the file must be CSV or Parquet")
        self._path = path
        names = self._file.schema_arrow.names if self._form == "parquet" else self._table.column_names
        if len(set(names)) < len(names):
            raise Invalid(f"two columns of {path.name} have the same name; rename one")
        self.names: tuple[str, ...] = tuple(names)
        self.rows: int = self._file.metadata.num_rows if self._form == "parquet" else self._table.num_rows

    def column(self, name: str) -> Any:
        """Return one column as an Arrow array, dictionaries decoded."""
        try:
            table = self._file.read(columns=[name]) if self._form == "parquet" else self._table
        except (pa.ArrowException, OSError) as error:
            raise self._unreadable(error) from None
        found = table.column(name).combine_chunks()
        return found.cast(found.type.value_type) if pa.types.is_dictionary(found.type) else found

    @cached_property
    def _file(self) -> Any:
        try:
            return parquet.ParquetFile(self._path)
        except (pa.ArrowException, OSError) as error:
            raise self._unreadable(error) from None

    @cached_property
    def _table(self) -> Any:
        delimiter = "\t" if self._path.suffix.lower() == ".tsv" else ","
        options = csv.ConvertOptions(strings_can_be_null=True, quoted_strings_can_be_null=False)
        try:
            return csv.read_csv(
                self._path, parse_options=csv.ParseOptions(delimiter=delimiter), convert_options=options
            )
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise self._unreadable(error) from None

    def _unreadable(self, error: Exception) -> Invalid:
        said = f"{self._path.name} is no readable {self._form.upper()} ({type(error).__name__}); write it anew"
        return Invalid(said)
