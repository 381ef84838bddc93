"""A card as a document that one can hand on: Markdown, the written part first, every fact below."""

from collections.abc import Iterator, Mapping
from typing import Any

from storage.records.clock import iso

HEADINGS = {
    "intended_use": "Intended use",
    "out_of_scope": "Not intended for",
    "people": "People considered",
    "limits": "Known limits",
    "owner": "Owner",
}
UNSAID = "(not written)"


def markdown(shown: Mapping[str, Any]) -> str:
    """Return a card as Markdown; ``shown`` is plain JSON as the API tells it.

    Every value stands in its own code block, so that no text becomes markup.
    """
    lines = [f"# Card of {shown['object_kind']} {_plain(shown['object_key'])}, version {_plain(shown['version'])}", ""]
    if shown["updated_at"] is not None:
        lines += [f"Written by {_plain(shown['written_by'])}, kept {iso(shown['updated_at'])}.", ""]
    card = shown["card"] or {}
    for name, heading in HEADINGS.items():
        lines += [f"## {heading}", "", *_block(card.get(name) or UNSAID), ""]
    lines += ["## Facts", ""]
    lines += [f"- {path}: {text}" for path, text in _facts(shown["facts"])]
    return "\n".join(lines) + "\n"


def _plain(value: Any) -> str:
    return "".join(letter if letter.isalnum() or letter in " ._:-@" else "·" for letter in str(value))


def _block(text: str) -> list[str]:
    return [f"    {line}" for line in text.splitlines() or [UNSAID]]


def _facts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for key in value:
            name = _plain(key).replace("_", " ")
            yield from _facts(value[key], f"{path} / {name}" if path else name)
    else:
        told = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        yield path, "`" + told.replace("`", "'").replace("\n", " ") + "`"
