"""A virtual environment for each peer, kept in a cache folder outside the repository."""

import hashlib
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

REQUIREMENTS = Path(__file__).parent / "requirements"
LIMIT_S = 900


class Unavailable(Exception):
    """A peer cannot be installed or started here; the words say why."""


def cache() -> Path:
    """Return the folder of the environments: ``FAIRLEAD_BENCH_CACHE``, or one in the temporary folder."""
    return Path(os.environ.get("FAIRLEAD_BENCH_CACHE") or Path(tempfile.gettempdir()) / "fairlead-bench")


def pins(peer: str) -> list[str]:
    """Return what a peer's environment pins."""
    return (REQUIREMENTS / f"{peer}.txt").read_text().split()


def installed(peer: str) -> Path:
    """Return the folder of a peer's programs, after installing what its pins name if they changed.

    Raises
    ------
    Unavailable
        If the environment cannot be made or the packages cannot be installed.
    """
    wanted_file = REQUIREMENTS / f"{peer}.txt"
    home = cache() / peer
    programs, mark = home / "bin", home / "pins.sha256"
    wanted = hashlib.sha256(wanted_file.read_bytes() + sys.version.encode()).hexdigest()
    if mark.exists() and mark.read_text() == wanted:
        return programs
    _run(peer, [sys.executable, "-m", "venv", "--clear", str(home)])
    _run(peer, [str(programs / "python"), "-m", "pip", "install", "--quiet", "--requirement", str(wanted_file)])
    mark.write_text(wanted)
    return programs


def _run(peer: str, command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"{peer} was not installed in {LIMIT_S} s") from error
    if done.returncode != 0:
        raise Unavailable(f"{peer} cannot be installed here: {last_words(done.stderr)}")


def last_words(text: str) -> str:
    """Return the last error of a program's output, without addresses and paths."""
    lines = [line for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()] or lines or ["it said nothing"]
    return re.sub(r"(\w+:/)?/[^\s'\"]+", "…", errors[-1].strip())[:300]
