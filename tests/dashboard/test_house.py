"""What the dashboard never does."""

import ast
import re
import tomllib
from pathlib import Path

import dashboard
from dashboard.pages.registry import PAGES
from dashboard.theme import SETTINGS

ROOT = Path(dashboard.__file__).parent
SOURCES = sorted(ROOT.rglob("*.py"))
FORBIDDEN = {
    "unsafe HTML": r"unsafe_allow_html|\.html\(|components\.v1|unsafe_allow_javascript",
    "colour scales that mislead": r"RdYlGn|(?i:\bjet\b)",
    "colour scales of their own": r"colorscale\s*=\s*[\"']|colorscale\"\s*:\s*[\"']",
    "writing": r"\.write\(\) as|Write\b.*import|from storage.database import .*\bWrite\b|Session\(|from storage.tables",
    "SQL": r"from sqlmodel|from sqlalchemy|\bselect\(",
    "WebGL": r"Scattergl|heatmapgl|Heatmapgl",
    "tables that render Markdown": r"st\.table\(",
    "outside addresses": r"https?://(?!127\.0\.0\.1|evil\.test)[a-z]",
}


def found(pattern: str) -> list[str]:
    return [path.name for path in SOURCES if re.search(pattern, path.read_text("utf-8"))]


def test_nothing_forbidden_is_there():
    assert {name: files for name, pattern in FORBIDDEN.items() if (files := found(pattern))} == {}


def test_colours_stand_in_the_settings_alone():
    literal = re.compile(r"[\"']#[0-9a-fA-F]{3,8}[\"']")
    allowed = {"#000000", "#ffffff", "#0B6E75"}  # black or white on a scale; the example of a doctest
    for path in SOURCES:
        assert {one.strip("\"'") for one in literal.findall(path.read_text("utf-8"))} <= allowed, path


def test_settings_are_hardened():
    settings = tomllib.loads(SETTINGS.read_text("utf-8"))
    assert settings["browser"]["gatherUsageStats"] is False
    assert settings["client"]["showErrorDetails"] == "none"
    assert settings["server"]["enableXsrfProtection"] is True
    assert settings["server"]["enableAgentApi"] is False
    assert settings["server"]["fileWatcherType"] == "none"


def test_pages_are_short():
    for page in PAGES:
        path = ROOT / "pages" / f"{page.key}.py"
        assert 20 <= len(path.read_text("utf-8").splitlines()) <= 100, path.name


def test_streamlit_finds_no_scripts_beside_its_script():
    assert not (SETTINGS.parents[1] / "pages").exists()


def test_figures_and_queries_know_no_streamlit():
    for folder in ("figures", "queries"):
        for path in (ROOT / folder).glob("*.py"):
            imported = {
                name
                for node in ast.walk(ast.parse(path.read_text("utf-8")))
                if isinstance(node, ast.Import | ast.ImportFrom)
                for name in [getattr(node, "module", None) or node.names[0].name]
            }
            assert not any(name.startswith("streamlit") for name in imported), path
