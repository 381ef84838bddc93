"""DuckDB for the lake: one instance, and of it a connection for each question.

An instance takes some twenty milliseconds of a core to make, a connection of it a tenth of one.
"""

import os
import weakref
from pathlib import Path
from threading import Lock

import duckdb


class Instance:
    """An instance of DuckDB that is made when it is first asked for; nothing of one connection is seen by another, as
    long as what they make is temporary.

    Parameters
    ----------
    spill
        The folder for what does not fit into memory.
    """

    def __init__(self, spill: Path) -> None:
        self._spill, self._lock = spill, Lock()
        self._made: tuple[int, duckdb.DuckDBPyConnection] | None = None

    def connect(self) -> duckdb.DuckDBPyConnection:
        """Return a connection of one's own."""
        with self._lock:
            if self._made is None or self._made[0] != os.getpid():  # a fork has none of its parent's threads
                self._made = (os.getpid(), self._make())
                weakref.finalize(self, self._made[1].close)
            return self._made[1].cursor()

    def _make(self) -> duckdb.DuckDBPyConnection:
        return duckdb.connect(
            config={
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "enable_external_file_cache": False,
                "temp_directory": str(self._spill),
            }
        )
