"""Candidates by what was searched for: full text over title, tags, text and attributes."""

import re
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from scoring_core.candidates.protocol import Ordinals
from storage.records.items import Item

Flags = NDArray[np.bool_]

MOST_WORDS = 16
PREFIX_FROM = 3
"""From so many letters on, the last word also finds those that begin with it."""
FEW = 10
"""With so many found the words are not read more widely."""
MOST_QUERIES = 64
"""How many are remembered, the oldest forgotten first."""
_WORD = re.compile(r"\w+")
_WEIGHTS = "8.0, 4.0, 2.0, 1.0"
"""What a hit weighs in title, tags, attributes, text."""
_MAKE = (
    "CREATE VIRTUAL TABLE items USING fts5(title, tags, attributes, text, "
    "tokenize='porter unicode61 remove_diacritics 2', prefix='3')"
)
_FIND = f"SELECT rowid FROM items WHERE items MATCH ? ORDER BY bm25(items, {_WEIGHTS}), rowid"  # noqa: S608  # our own numbers
_PUT = "INSERT INTO items (rowid, title, tags, attributes, text) VALUES (?, ?, ?, ?, ?)"


class SearchIndex(Protocol):
    """What an external index promises. A plugin asks it before the decision, at the edge and within a deadline; the ids
    that it finds arrive as ``Facts.brought``, so that they are recorded and the decision replays."""

    async def find(self, query: str, filters: object, quota: int) -> Sequence[str]:
        """Return at most ``quota`` item ids, best first."""


class FullText:
    """The text of one catalogue in SQLite's FTS5, in memory, made when it is first asked.

    Items that hold every word of a query come first, by bm25 (Robertson, Zaragoza, The Probabilistic Relevance
    Framework: BM25 and Beyond, 2009); where these are fewer than ``FEW``, those that hold the beginning of the last
    word and all others follow, then those that hold any word; equals by ordinal. English words are stemmed (Porter).
    """

    def __init__(self, items: tuple[Item, ...]) -> None:
        self._items = items
        self._made: sqlite3.Connection | None = None
        self._ranked: dict[str, Ordinals] = {}
        self._lock = threading.Lock()

    def find(self, query: str, allowed: Flags, quota: int) -> Ordinals:
        """Return at most ``quota`` allowed ordinals for what was typed, best first."""
        found = np.zeros(0, dtype=np.int64)
        for match in _widening(query):
            more = self._rank(match)
            found = np.concatenate([found, more[allowed[more] & ~np.isin(more, found)]])
            if len(found) >= min(FEW, quota):
                break
        return found[:quota]

    def known(self, query: str) -> bool:
        """Tell whether the query was asked lately, so that it is answered at once."""
        return next(_widening(query), "") in self._ranked

    def prepare(self) -> None:
        """Make the index now, not when someone waits for it."""
        with self._lock:
            self._connection()

    def advanced(self, items: tuple[Item, ...], changed: Sequence[int]) -> "FullText":
        """Return the text of a later catalogue, of which only the items at ``changed`` differ or are new; an index that
        was made is copied and mended."""
        after = FullText(items)
        with self._lock:
            if self._made is not None:
                after._made = _empty()
                self._made.backup(after._made)
                rows = [(place, *_told(items[place])) for place in changed]
                with after._made:
                    after._made.executemany("DELETE FROM items WHERE rowid = ?", [(place,) for place in changed])
                    after._made.executemany(_PUT, rows)
        return after

    def _rank(self, match: str) -> Ordinals:
        found = self._ranked.get(match)
        if found is None:
            with self._lock:
                rows = self._connection().execute(_FIND, (match,)).fetchall()
                found = np.fromiter((row[0] for row in rows), dtype=np.int64, count=len(rows))
                while len(self._ranked) >= MOST_QUERIES:
                    self._ranked.pop(next(iter(self._ranked)))
                self._ranked[match] = found
        return found

    def _connection(self) -> sqlite3.Connection:
        if self._made is None:
            made = _empty()
            with made:
                made.execute(_MAKE)
                made.executemany(_PUT, ((place, *_told(item)) for place, item in enumerate(self._items)))
            self._made = made
        return self._made

    def __del__(self) -> None:
        """Let go of the memory."""
        if self._made is not None:
            self._made.close()


def _empty() -> sqlite3.Connection:
    return sqlite3.connect(":memory:", check_same_thread=False)


def _told(item: Item) -> tuple[str, str, str, str]:
    said = (str(value) for value in item.attributes.values() if isinstance(value, str))
    return item.title, " ".join(item.tags), " ".join(said), item.text


def _widening(query: str) -> Iterator[str]:
    """Yield what to match, strictest first. Words stand in quotes: nothing typed is an operator of FTS5."""
    words = [f'"{word}"' for word in _WORD.findall(query)[:MOST_WORDS]]
    if not words:
        return
    yield " AND ".join(words)
    if len(words[-1]) >= PREFIX_FROM + len('""'):
        yield " AND ".join(words) + "*"
    if len(words) > 1:
        yield " OR ".join(words)
