"""Plugin packages for tests: the example, really installed, and one that misbehaves in every way."""

import contextlib
import importlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scoring_core.plugins import installed

ROOT = Path(__file__).resolve().parents[3]
PICKS = "EXAMPLE_PICKS"

TROUBLE = """
import asyncio, time

class Plugin:
    version, protocol = "1", 1

class Slow(Plugin):
    name, outputs = "slow", {"x": float}
    def enrich(self, asked): time.sleep(0.4); return {"x": 1.0}

class SlowAsync(Plugin):
    name, outputs = "slow-async", {"x": float}
    async def enrich(self, asked): await asyncio.sleep(5); return {"x": 1.0}

class Blocking(Plugin):
    name, outputs = "blocking", {"x": float}
    async def enrich(self, asked): time.sleep(0.4); return {"x": 1.0}

class Raising(Plugin):
    name, outputs = "raising", {"x": float}
    def enrich(self, asked): raise ValueError("a secret of " + str(asked.subject))

class Exiting(Plugin):
    name, outputs = "exiting", {"x": float}
    async def enrich(self, asked): raise SystemExit(3)

class Shapeless(Plugin):
    name, outputs = "shapeless", {"x": float}
    def enrich(self, asked): return {"x": "many", "y": 1}

class Fine(Plugin):
    name, outputs = "fine", {"x": float}
    def enrich(self, asked): return {"x": 2}

class Numbers(Plugin):
    name = "numbers"
    def find(self, asked, quota): return [1, 2, 3]

class Torn(Plugin):
    name = "torn"
    async def find(self, asked, quota): raise OSError("no route")

class Scores:
    features = ("item.price",)
    def __init__(self, how): self.how = how
    def score(self, table):
        if self.how == "slow": time.sleep(0.4)
        if self.how == "raise": raise KeyError("price")
        if self.how == "short": return table[:-1, 0]
        if self.how == "text": return ["high"] * len(table)
        if self.how == "nan": return table[:, 0] * float("nan")
        return table[:, 0]

class Moody(Plugin):
    name = "moody"
    def scorer(self, settings): return Scores(settings["how"])

class Newer(Plugin):
    name, protocol = "newer", 2
    def scorer(self, settings): return Scores("")
"""
POINTS = {
    "fairlead.enrichers": {
        "slow": "Slow",
        "slow-async": "SlowAsync",
        "blocking": "Blocking",
        "raising": "Raising",
        "exiting": "Exiting",
        "shapeless": "Shapeless",
        "fine": "Fine",
    },
    "fairlead.sources": {"numbers": "Numbers", "torn": "Torn"},
    "fairlead.scorers": {"moody": "Moody", "newer": "Newer", "gone": "Nowhere"},
}


@contextlib.contextmanager
def on_path(site: Path) -> Iterator[Path]:
    """Let this process see what is installed in ``site``, as one that is started with it would."""
    sys.path.insert(0, str(site))
    importlib.invalidate_caches()
    installed.cache_clear()
    try:
        yield site
    finally:
        sys.path.remove(str(site))
        importlib.invalidate_caches()
        installed.cache_clear()


def install_example(folder: Path) -> Path:
    """Build and install the example package as a user would, without the network; return where."""
    shutil.copytree(ROOT / "examples" / "plugin", folder / "source")
    site = folder / "site"
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index")
    options = ("--no-deps", "--no-build-isolation", "--target", str(site), str(folder / "source"))
    done = subprocess.run([*pip, *options], capture_output=True, text=True, timeout=110, check=False)
    if done.returncode and "No module named" in done.stderr:
        pytest.skip(f"pip or setuptools is not installed here: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    return site


def install_trouble(folder: Path) -> Path:
    """Lay out the package that misbehaves as an installer would; return where."""
    (folder / "trouble_plugins.py").write_text(TROUBLE)
    about = folder / "trouble_plugins-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: trouble-plugins\nVersion: 1\n")
    lines = [
        line
        for group, points in POINTS.items()
        for line in (f"[{group}]", *(f"{name} = trouble_plugins:{made}" for name, made in points.items()), "")
    ]
    (about / "entry_points.txt").write_text("\n".join(lines))
    return folder
