"""Writes docs/compliance/*.md from map.toml: each outcome with the tests that show it, by their ids."""

import re
import tomllib
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "compliance"
_TEST = re.compile(r"^def (test_\w+)", re.MULTILINE)


def written() -> Mapping[str, Any]:
    """Return the map."""
    found: Mapping[str, Any] = tomllib.loads((FOLDER / "map.toml").read_text("utf-8"))
    return found


def known() -> Mapping[str, list[str]]:
    """Return where each test of the house stands, by name."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for name in _TEST.findall(path.read_text("utf-8")):
            found[name].append(str(path.relative_to(ROOT)))
    return found


def page(frame: Mapping[str, Any], tests: Mapping[str, list[str]]) -> str:
    """Return one framework's page.

    Raises
    ------
    KeyError
        If a test that the map names is not there.
    """
    rows = frame["outcomes"]
    shown = sum(bool(names) for _id, _asks, _outside, names in rows)
    lines = [
        f"# {frame['title']}",
        "",
        f"Generated from `map.toml` by `python -m tests.house.compliance`. {shown} of {len(rows)} outcomes are shown "
        "by tests; the others are a matter of who runs the product. Engineering reading, no legal advice.",
        "",
        "| outcome | asks | shown by |",
        "|---|---|---|",
    ]
    for ident, asks, outside, names in rows:
        ids = "<br>".join(f"`{tests[name][0]}::{name}`" for name in names)
        lines.append(f"| {ident} | {asks} | {ids or f'outside the product: {outside}'} |")
    return "\n".join(lines) + "\n"


def pages() -> Mapping[str, str]:
    """Return every page by its file's name."""
    tests = known()
    return {f"{name}.md": page(frame, tests) for name, frame in written().items()}


if __name__ == "__main__":
    for name, text in pages().items():
        (FOLDER / name).write_text(text, "utf-8")
