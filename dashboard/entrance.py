"""The HTML that every page starts with: Streamlit's own, told once where its server is.

Streamlit's browser side looks for its server below the address of the page first, which costs a round trip and leaves
errors in the console on every page but the first.
"""

from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
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
    "checks",
    "ledger",
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
TOLD = '<script>window.__streamlit = {BACKEND_BASE_URL: window.location.origin + "/"}</script>'


@cache
def html() -> str:
    """Return the page."""
    found = (Path(get_static_dir()) / "index.html").read_text("utf-8")
    return found.replace(TITLE, "<title>Fairlead</title>").replace("<head>", f"<head>{TOLD}{KEYS}", 1)


async def _index(_request: Request) -> Response:
    return HTMLResponse(html(), headers={"cache-control": "no-cache"})


def routes() -> list[BaseRoute]:
    """Return the routes of all pages."""
    return [Route(path, _index, methods=["GET"]) for path in ("/", *(f"/{key}" for key in ADDRESSES))]
