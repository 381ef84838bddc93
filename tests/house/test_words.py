"""The house's words: how files are named, how long they are, and what no file may say."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FLOORS = ("storage", "scoring_core", "governance", "collectors", "dashboard", "fairlead")
VAGUE = {"util", "utils", "helper", "helpers", "common", "base", "manager", "service", "handler", "misc", "core"}
SOURCES = sorted(path for floor in FLOORS for path in (ROOT / floor).rglob("*.py"))


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """Every text file that is, or is about to be, in the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    found = {}
    for path in listed:
        try:
            found[path] = (ROOT / path).read_text("utf-8")
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue
    return found


def test_files_are_named_for_nouns_and_verbs() -> None:
    vague = [name(path) for path in SOURCES if set(path.stem.split("_")) & VAGUE]
    assert vague == []


def test_a_file_holds_one_named_thing() -> None:
    long = {name(path): n for path in SOURCES if (n := len(path.read_text("utf-8").splitlines())) > 300}
    assert long == {}


def test_every_module_says_what_it_is() -> None:
    silent = [name(path) for path in SOURCES if not ast.get_docstring(ast.parse(path.read_text("utf-8")))]
    assert silent == []


def test_nothing_is_left_for_later() -> None:
    later = re.compile(r"\b(TO" r"DO|FIX" r"ME|XXX)\b|raise Not" r"ImplementedError|pragma: no " r"cover")
    found = [name(path) for path in SOURCES if later.search(path.read_text("utf-8"))]
    assert found == []


def test_every_silenced_check_has_its_reason_on_the_line() -> None:
    bare = re.compile(r"#\s*(type: ignore(\[[\w,-]+\])?|noqa(: [\w, ]+)?)\s*$")
    found = [
        f"{name(path)}:{number}"
        for path in SOURCES
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        if bare.search(line)
    ]
    assert found == []


def test_no_package_registry_is_named(texts: dict[str, str]) -> None:
    address = re.compile(
        r"https?://[^\s\"']*/simple/?[\"'\s]|index" r"-url|\"resolved\": *\"http|files\.python" r"hosted"
    )
    assert [path for path, text in texts.items() if address.search(text)] == []


def test_locks_carry_a_hash_for_every_package() -> None:
    for lock in (ROOT / "locks").glob("*.txt"):
        blocks = re.split(r"\n(?=\S)", lock.read_text("utf-8").strip())
        bare = [block.splitlines()[0] for block in blocks if "==" in block and "--hash=sha256:" not in block]
        assert bare == [], lock.name


def test_every_error_code_has_its_row_in_the_documentation() -> None:
    code = re.compile(r"FL-\d{4}")
    used = {found for path in SOURCES for found in code.findall(path.read_text("utf-8"))}
    documented = set(code.findall((ROOT / "docs" / "errors.md").read_text("utf-8")))
    assert used == documented


def test_every_setting_is_in_the_readme() -> None:
    from fairlead.settings import Settings

    text = (ROOT / "README.md").read_text("utf-8")
    assert [key for key in Settings.model_fields if f"`FAIRLEAD_{key.upper()}`" not in text] == []


def test_documents_name_files_that_are_there() -> None:
    named = re.compile(r"`((?:tests|storage|scoring_core|governance|collectors|fairlead|dashboard)/[\w./]+)`")
    documents = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    absent = {
        f"{document.name}: {path}"
        for document in documents
        for path in named.findall(document.read_text("utf-8"))
        if not (ROOT / path).exists()
    }
    assert absent == set()
