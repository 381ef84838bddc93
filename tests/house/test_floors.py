"""The house's floors: what an import pulls in, who may mint consent, who may commit, what a page may not do."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FLOORS = ("storage", "scoring_core", "governance", "collectors", "dashboard", "fairlead")
HEAVY = ("streamlit", "evidently", "fairlearn", "plotly", "pandas", "litestar", "nltk")


def modules(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text("utf-8"))


def calls(tree: ast.AST) -> Iterator[str]:
    """The last name of everything that is called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            yield called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")


def dotted(name: str) -> str:
    return name.removesuffix("/__init__.py").removesuffix(".py").replace("/", ".")


CORE = [dotted(name) for name, _ in modules("scoring_core")]


def test_the_core_pulls_in_no_dashboard_and_no_audit_library() -> None:
    code = f"import importlib, sys\nfor name in {CORE!r}: importlib.import_module(name)\nprint(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert [name for name in HEAVY if name in loaded.stdout.split()] == []


@pytest.mark.parametrize("module", ["fairlead", "fairlead.cli", "fairlead.wiring"])
def test_the_command_line_starts_light(module: str) -> None:
    code = f"import sys, {module}\nprint(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    heavy = (*HEAVY, "lightgbm", "numba", "sklearn", "duckdb", "pyarrow", "uvicorn", "fastapi")
    assert [name for name in heavy if name in loaded.stdout.split()] == []


def test_the_gate_alone_mints_consent() -> None:
    minting = [name for name, tree in modules(*FLOORS) if "Consented" in set(calls(tree))]
    assert minting == ["scoring_core/gate.py"]


def test_sessions_commit_in_one_place() -> None:
    """Control state is committed by ``storage.database`` alone; the event log's file is a store of its own."""
    committing = {name for name, tree in modules(*FLOORS) if "commit" in set(calls(tree))}
    assert {name for name in committing if not name.startswith("storage/eventlog/")} <= {"storage/database.py"}


def test_pages_never_open_the_database_for_writing() -> None:
    writing = [name for name, tree in modules("dashboard") if "write" in set(calls(tree))]
    assert writing == []


def test_pages_render_no_html_of_others_and_no_misleading_scale() -> None:
    forbidden = ("unsafe_allow_html", "st.html(", "RdYlGn", '"jet"', "heatmapgl", "scattergl")
    found = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in (ROOT / "dashboard").rglob("*.py")
        for word in forbidden
        if word in path.read_text("utf-8")
    ]
    assert found == []


def test_nobody_imports_the_composition_root() -> None:
    rooms = modules("storage", "scoring_core", "governance", "collectors", "dashboard")
    found = [
        name
        for name, tree in rooms
        for node in ast.walk(tree)
        if (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "fairlead")
        or (isinstance(node, ast.Import) and any(alias.name.split(".")[0] == "fairlead" for alias in node.names))
    ]
    assert found == []
