"""The HTML that every page starts with: Streamlit's own, told once where its server is.

Streamlit's browser side looks for its server below the address of the page first, which costs a round trip and leaves
errors in the console on every page but the first.
"""

from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from streamlit.file_util import get_static_dir

ADDRESSES = (
    "overview",
    "live",
    "heatmaps",
    "segments",
    "experiments",
    "insights",
    "fairness",
    "drift",
    "policies",
    "whatif",
    "models",
    "rules",
    "toggles",
    "caps",
    "consent",
    "explorer",
    "alerts",
    "checks",
    "ledger",
    "access",
    "system",
)
"""The keys of all pages; not asked of the pages, whose import wants a running Streamlit."""
TITLE = "<title>Streamlit</title>"
KEYS = """<script>
addEventListener("keydown", (event) => {
  const at = event.target;
  const typing = at.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName) || at.closest('[role="dialog"]');
  if (event.key !== "?" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const help = document.querySelector(".st-key-help button");
  if (help) { event.preventDefault(); help.click(); }
});
</script>"""
"""A question mark opens the help of a page, as everywhere; Streamlit's own shortcuts know letters and digits alone."""
STYLE = """<style>
body { font-variant-numeric: tabular-nums; }
[data-testid="stMultiSelect"] [data-tag], [data-testid="stMultiSelect"] [data-tag] * {
  background: transparent; color: inherit;
}
[data-testid="stMultiSelect"] [data-tag] { border: 1px solid currentColor; }
button[kind^="primary"], button[kind^="primary"] * { color: inherit; }
button[kind^="primary"] { background: transparent; border: 2px solid currentColor; }
@media (max-width: 640px) {
  [class*="st-key-scrolled-"] [data-testid="stFullScreenFrame"] { min-width: 820px; }
  [class*="st-key-scrolled-"] [data-testid="stElementContainer"]:has([data-testid="stPlotlyChart"]) {
    overflow-x: auto; width: 100%;
  }
}
</style>"""
"""What the theme's settings have no word for: figures of one width, and what was chosen in a list or matters most among
buttons, which Streamlit writes white on the accent (2.1:1 in the dark); on a phone a grid of many columns scrolls
sideways. No colour stands here."""
TOLD = '<script>window.__streamlit = {BACKEND_BASE_URL: window.location.origin + "/"}</script>'


@cache
def html() -> str:
    """Return the page."""
    found = (Path(get_static_dir()) / "index.html").read_text("utf-8")
    return found.replace(TITLE, "<title>Fairlead</title>").replace("<head>", f"<head>{TOLD}{STYLE}{KEYS}", 1)


async def _landing(request: Request) -> Response:
    """Send who asks for the first page by name to where Streamlit has it, filters and all."""
    return RedirectResponse(f"./?{request.url.query}" if request.url.query else "./")


async def _index(_request: Request) -> Response:
    return HTMLResponse(html(), headers={"cache-control": "no-cache"})


def routes() -> list[BaseRoute]:
    """Return the routes of all pages; the first of them is the landing page, which has no name of its own."""
    landing, *others = ADDRESSES
    pages = [Route(path, _index, methods=["GET"]) for path in ("/", *(f"/{key}" for key in others))]
    return [Route(f"/{landing}", _landing, methods=["GET"]), *pages]
