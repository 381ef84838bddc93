"""Finds the Chromium that browser tests drive: ``CHROMIUM``, PATH, or Playwright's own; fetches one if need be.

Run as a script it prints the path; ``make test`` does so and hands it to the tests as ``CHROMIUM``.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def named() -> str | None:
    """The browser that ``CHROMIUM`` names, by path or by name on PATH."""
    value = os.environ.get("CHROMIUM", "")
    return shutil.which(value) if value else None


def on_path() -> str | None:
    """A Chromium or Chrome on PATH."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


def playwrights() -> str | None:
    """The browser that ``playwright install chromium`` put in place."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if path and Path(path).exists() else None


def find() -> str | None:
    """The first Chromium there is, or None."""
    return named() or on_path() or playwrights()


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _ran(*command: str, seconds: float = 600) -> bool:
    _say("+ " + " ".join(command))
    try:
        return subprocess.run(command, stdout=sys.stderr, check=False, timeout=seconds).returncode == 0
    except (OSError, subprocess.TimeoutExpired) as error:
        _say(str(error))
        return False


def fetch() -> str | None:
    """Get one from Playwright, or from the distribution where this is root on a machine with apt-get."""
    _say("No Chromium found by CHROMIUM, on PATH or with Playwright; fetching one for the browser tests.")
    if _ran(sys.executable, "-m", "playwright", "install", "chromium") and (path := playwrights()):
        return path
    if shutil.which("apt-get") and os.geteuid() == 0:
        install = ("apt-get", "install", "-y", "--no-install-recommends", "chromium")
        if _ran(*install) or (_ran("apt-get", "update") and _ran(*install)):
            return on_path()
    return None


def main() -> int:
    """Print the path of a Chromium; 1 with the remedy where none can be had."""
    if os.environ.get("CHROMIUM") and not named():
        _say(f"CHROMIUM names {os.environ['CHROMIUM']!r}, which cannot be run. Correct it, or unset it.")
        return 1
    path = find() or fetch()
    if path is None:
        _say(
            "The browser tests need Chromium, and none could be found or fetched. Install it with your system's "
            "packages (Debian, Ubuntu: apt-get install chromium), or set CHROMIUM to the path of a Chromium or Chrome."
        )
        return 1
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
