"""The demo's past is made by the product's own parts: no line of the story writes what they find."""

import ast
from pathlib import Path

import fairlead.story

FOLDER = Path(fairlead.story.__file__).parent
READ_OR_ASKED = {
    "catalogue": {"load", "version"},
    "counters": {"numbers"},
    "cursors": {"position", "advance"},
    "jobs": {"enqueue", "claim"},
    "leases": {"release"},
    "policies": {"versions", "documents"},
    "receipts": {"receipts"},
    "registry": {"in_service"},
    "revisions": {"number"},
}
"""What of storage a story may call: readers, its own cursor, the lease that it holds, the queue of jobs."""
NOUNS = ("storage.records", "storage.database", "storage.errors", "storage.lake")
TREES = {path.name: ast.parse(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.py"))}


def test_a_story_imports_no_writer_of_findings() -> None:
    for name, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("storage"):
                known = node.module == "storage" and {each.name for each in node.names} <= READ_OR_ASKED.keys()
                assert known or node.module.startswith(NOUNS), f"{name} imports {node.module}"
            if isinstance(node, ast.ImportFrom) and node.module:
                assert not node.module.startswith(("governance.checks", "governance.book", "collectors.cells")), name


def test_a_story_calls_readers_only() -> None:
    for name, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in READ_OR_ASKED:
                assert node.attr in READ_OR_ASKED[node.value.id], f"{name} calls {node.value.id}.{node.attr}"


def test_a_story_has_no_other_clock() -> None:
    for name, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module == "storage.records":
                assert "clock" not in {each.name for each in node.names}, f"{name} imports the wall clock"
            if isinstance(node, ast.ImportFrom) and node.module == "storage.records.clock":
                assert "now" not in {each.name for each in node.names}, f"{name} imports the wall clock"
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                assert (node.value.id, node.attr) not in {("time", "time"), ("datetime", "now")}, name
