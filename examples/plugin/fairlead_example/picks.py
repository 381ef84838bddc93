"""A candidate source plugin: what the editors picked, from a file of item ids."""

import os
from pathlib import Path
from typing import Any

FILE = "EXAMPLE_PICKS"


class Picks:
    """Reads the file that the environment variable names, one item id a line, best first; it may change at any time."""

    name = "picks"
    version = "1.0.0"
    protocol = 1

    def find(self, asked: Any, quota: int) -> list[str]:
        """Return at most ``quota`` item ids. Items that are unknown, hidden or sold out are dropped by the engine; with
        a ``query`` only picks that hold it."""
        path = os.environ.get(FILE)
        lines = Path(path).read_text("utf-8").split() if path else []
        return [line for line in lines if asked.query is None or asked.query in line][:quota]
