"""Every event log is its model, whatever happens to it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.laws.eventlog.logs import Open, draft, run


@dataclass
class Model:
    """The log as it should be."""

    entries: list[tuple[int, int]] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    head: int = 0

    def take(self, at: int, key: str | None) -> int | None:
        if key is not None and key in self.keys:
            return None
        if key is not None:
            self.keys.add(key)
        self.head += 1
        self.entries.append((self.head, at))
        return self.head

    def trim(self, before: int) -> int:
        size = len(self.entries)
        while len(self.entries) > 1 and self.entries[0][1] < before:
            self.entries.pop(0)
        return size - len(self.entries)


_drafts = st.lists(st.tuples(st.integers(0, 20), st.none() | st.sampled_from("abcdefgh")), max_size=6)
_steps = st.lists(
    st.one_of(
        st.tuples(st.just("append"), _drafts),
        st.tuples(st.just("offer"), _drafts),
        st.tuples(st.just("trim"), st.integers(0, 22)),
        st.tuples(st.just("reopen"), st.none()),
    ),
    max_size=12,
)


@settings(max_examples=60)
@given(steps=_steps)
def test_any_history_matches_the_model(
    member: Callable[[Path], Open], tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, Any]]
) -> None:
    reopen = member(tmp_path_factory.mktemp("log"))

    async def scenario() -> None:
        model, log = Model(), reopen(linger_s=0.0)
        for step, argument in steps:
            if step == "append":
                numbers = await log.append([draft(key, at=at) for at, key in argument])
                assert numbers == [model.take(at, key) for at, key in argument]
            elif step == "offer":
                for at, key in argument:
                    log.offer(draft(key, at=at))
                    model.take(at, key)
            elif step == "trim":
                await log.append([draft("flush")])
                model.take(0, "flush")
                assert await asyncio.to_thread(partial(log.trim, before=argument)) == model.trim(argument)
            else:
                await log.close()
                log = reopen(linger_s=0.0)
                assert log.head() == model.head
        await log.close()
        log = reopen()
        assert [(entry.seq, entry.at) for entry in log.read(0, 1_000)] == model.entries
        assert log.head() == model.head
        await log.close()

    run(scenario)
