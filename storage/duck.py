"""DuckDB as the lake opens it: it loads nothing by itself, and spills to disk before its process has no memory left."""

import resource
from pathlib import Path

import duckdb

OutOfMemory = duckdb.OutOfMemoryException
SHARE = 0.5
"""How much of the memory that a process may take DuckDB plans with: the rest is the process's own, and what DuckDB
takes beyond its plan."""


def opened(root: Path) -> duckdb.DuckDBPyConnection:
    """Open DuckDB in memory; what does not fit goes below ``root``.

    DuckDB plans with most of the machine, and knows nothing of the limit of a process (``setrlimit``): it is told.
    """
    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "temp_directory": str(root / ".spill"),
    }
    limit, _ = resource.getrlimit(resource.RLIMIT_DATA)
    if limit != resource.RLIM_INFINITY:
        config["memory_limit"] = f"{int(SHARE * limit) >> 20}MiB"
    return duckdb.connect(config=config)
