"""Pictures of every page for the docs: both themes, a desk and a phone. ``make screenshots`` runs this.

They are taken of the copy that runs on the ports of the environment (``fairlead login`` lets the camera in), or of a
fresh one with a past, started for this and stopped again. ``--pages`` names some pages alone.
"""

import argparse
import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from dashboard.entrance import ADDRESSES
from tests.chromium import find
from tests.e2e.installation import make_copy

SCREENS = {1440: 2000, 390: 1600}
"""Width, and the height that a picture is cut at."""
COLOURS = 96
WAIT_MS = 120_000


def settle(page: Page) -> None:
    """Wait until the page is drawn, charts included."""
    page.wait_for_selector("h1", timeout=WAIT_MS)
    page.wait_for_timeout(400)
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=WAIT_MS)
    page.wait_for_timeout(1_200)


def small(data: bytes) -> bytes:
    """Return a PNG with a palette: the pages have few colours."""
    out = io.BytesIO()
    Image.open(io.BytesIO(data)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(
        out, "PNG", optimize=True
    )
    return out.getvalue()


def take(browser: Browser, link: str, root: str, keys: list[str], folder: Path) -> None:
    """Take all pictures, signed in by a one-time link."""
    first = browser.new_context()
    page = first.new_page()
    page.goto(link)
    settle(page)
    state = first.storage_state()
    first.close()
    for width, most in SCREENS.items():
        for scheme in ("light", "dark"):
            context = browser.new_context(
                viewport={"width": width, "height": 900}, color_scheme=scheme, storage_state=state
            )
            page = context.new_page()
            for key in keys:
                page.set_viewport_size({"width": width, "height": 900})
                page.goto(f"{root}/{key}?refresh=Off")
                settle(page)
                tall = int(page.evaluate("document.querySelector('[data-testid=\"stMain\"]').scrollHeight"))
                page.set_viewport_size({"width": width, "height": min(max(tall, 700), most)})
                page.wait_for_timeout(900)
                (folder / f"{key}-{width}-{scheme}.png").write_bytes(
                    small(page.screenshot(timeout=WAIT_MS, animations="disabled"))
                )
                print(f"{key} {width} {scheme}", file=sys.stderr)
            context.close()


def main() -> None:
    """Read the arguments, find or start a copy, and take the pictures."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--out", type=Path, default=Path("docs/images"))
    asked.add_argument("--pages", nargs="*", choices=ADDRESSES, default=list(ADDRESSES))
    told = asked.parse_args()
    told.out.mkdir(parents=True, exist_ok=True)
    login = subprocess.run(
        [sys.executable, "-m", "fairlead", "login"], capture_output=True, text=True, check=False, timeout=60
    )
    home = Path(tempfile.mkdtemp(prefix="fairlead-pictures-")) / "home"
    copy = None if login.returncode == 0 else make_copy(home, {"FAIRLEAD_STORY": "true"})
    try:
        link = copy.start("--traffic-rate", "10").url if copy else login.stdout.split()[-1]
        with sync_playwright() as playwright:
            flags = ["--disable-gpu", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
            browser = playwright.chromium.launch(executable_path=find(), args=flags)
            take(browser, link, link.split("/auth/", maxsplit=1)[0], told.pages, told.out)
    finally:
        if copy is not None:
            copy.stop()


if __name__ == "__main__":
    main()
