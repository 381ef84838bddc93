"""Documents that are written whole: created, edited, turned on and off, put back and deleted, all in one way."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from governance.actions import Action, Ground, Nothing, Step, always, found, marketing, refuse, untagged
from storage.database import Read, Write
from storage.errors import Conflict, Problem
from storage.records.changes import Level
from storage.records.document import dump


class Store(Protocol):
    """Where documents of one kind are kept: the functions of a ``storage.edited.Edited``."""

    @property
    def find(self) -> Callable[..., Any]:
        """Return one stored document or None."""

    @property
    def save(self) -> Callable[..., Any]:
        """Insert or replace a document."""

    @property
    def remove(self) -> Callable[..., None]:
        """Delete a document."""


def _nothing(*_: Any) -> tuple[Problem, ...]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """The actions on documents of one kind.

    Parameters
    ----------
    noun
        What one is called: in actions, in words, as the field of ``payload`` and of what ``store`` returns.
    payload
        The closed document that holds one, whole.
    switched
        Whether it is ``enabled`` or not, and has a ``version`` that grows with each edit.
    problems
        What is wrong with one, seen from the present state.
    level
        How dangerous it is that one (None: nothing was) becomes another.
    back
        How dangerous it is to put back the one before: of the present one and the one that would be.
    lasting
        What is wrong with an edit of one into another, whatever both are worth.
    delete
        How dangerous it is to delete one that is off.
    wanted
        Why one may not be deleted yet; empty where it may.
    rechecked
        Whether a rollback is refused where the present state has problems with what it puts back. Otherwise it is
        the safe direction, and nothing stands in its way.
    """

    noun: str
    store: Store
    payload: type[Any]
    problems: Callable[[Read, Any], tuple[Problem, ...]]
    level: Callable[[Any, Any], Level]
    back: Callable[[Any, Any], Level] = lambda _before, _after: "safe"
    lasting: Callable[[Any, Any], tuple[Problem, ...]] = _nothing
    delete: Level = "D1"
    wanted: Callable[[Read, str], str] = lambda _read, _key: ""
    switched: bool = True
    rechecked: bool = False

    def actions(self) -> tuple[Action, ...]:
        """Return what can be done."""
        edited: dict[str, Any] = {"payload": self.payload, "tagged": True, "etag": self._etag}
        made = [
            marketing(f"{self.noun}.create", self._create, self._create_level, payload=self.payload, etag=untagged),
            marketing(f"{self.noun}.edit", self._edit, self._edit_level, **edited),
            marketing(f"{self.noun}.rollback", self._rollback, self._rollback_level, etag=self._etag),
            marketing(f"{self.noun}.delete", self._delete, always(self.delete), tagged=True, etag=self._etag),
        ]
        if self.switched:
            made += [
                marketing(f"{self.noun}.enable", self._enable, self._enable_level, etag=self._etag),
                marketing(f"{self.noun}.disable", self._disable, always("safe"), etag=self._etag),
            ]
        return tuple(made)

    def _stored(self, read: Read, key: str) -> Any:
        return found(self.store.find(read, key), self.noun)

    def _found(self, read: Read, key: str) -> Any:
        return getattr(self._stored(read, key), self.noun)

    def _given(self, payload: Any) -> Any:
        return getattr(payload, self.noun)

    def _etag(self, read: Read, key: str) -> str:
        stored = self.store.find(read, key)
        return stored.etag if stored else ""

    def _refuse(self, read: Read, key: str, made: Any) -> None:
        wrong = (
            () if key == made.key else (Problem(field=f"{self.noun}.key", message="differs from the key addressed"),)
        )
        refuse(wrong + self.problems(read, made))

    def _saved(self, write: Write, before: Any, after: Any, *, previous: Any, at: int) -> Step:
        stored = self.store.save(write, after, previous=previous, at=at)
        return Step(before=None if before is None else dump(before), after=dump(after), etag=stored.etag)

    def _create(self, write: Write, key: str, payload: Any, ground: Ground) -> Step:
        made = self._given(payload)
        if self.switched:
            made = replace(made, version=1)
        self._refuse(write, key, made)
        if self.store.find(write, key) is not None:
            raise Conflict(f"there is a {self.noun} of this key already")
        return self._saved(write, None, made, previous=None, at=ground.at)

    def _edit(self, write: Write, key: str, payload: Any, ground: Ground) -> Step:
        before = self._found(write, key)
        after = self._given(payload)
        if self.switched:
            after = replace(after, version=before.version)
        self._refuse(write, key, after)
        refuse(self.lasting(before, after))
        if before == after:
            raise Conflict(f"the {self.noun} is like this already")
        return self._replaced(write, before, after, ground.at)

    def _rollback(self, write: Write, key: str, _payload: Nothing, ground: Ground) -> Step:
        """Put back what the last edit replaced, as a new version."""
        before, after = self._returning(write, key)
        if after is None:
            instead = "disable" if self.switched else "delete"
            raise Conflict(f"this {self.noun} was never edited; {instead} it to be without it")
        if self.rechecked:
            refuse(self.problems(write, after))
        return self._replaced(write, before, after, ground.at)

    def _replaced(self, write: Write, before: Any, after: Any, at: int) -> Step:
        made = replace(after, version=before.version + 1) if self.switched else after
        return self._saved(write, before, made, previous=before, at=at)

    def _returning(self, read: Read, key: str) -> tuple[Any, Any]:
        """Return the present one and the one that a rollback puts back; what was off then, or is off now, stays off."""
        stored = self._stored(read, key)
        before, earlier = getattr(stored, self.noun), stored.previous
        if earlier is not None and self.switched:
            earlier = replace(earlier, enabled=earlier.enabled and before.enabled)
        return before, earlier

    def _turned(self, write: Write, key: str, at: int, *, on: bool) -> Step:
        stored = self._stored(write, key)
        before = getattr(stored, self.noun)
        if before.enabled == on:
            raise Conflict(f"the {self.noun} is {'on' if on else 'off'} already")
        after = replace(before, enabled=on)
        if on:
            refuse(self.problems(write, after))
        return self._saved(write, before, after, previous=stored.previous, at=at)

    def _enable(self, write: Write, key: str, _payload: Nothing, ground: Ground) -> Step:
        return self._turned(write, key, ground.at, on=True)

    def _disable(self, write: Write, key: str, _payload: Nothing, ground: Ground) -> Step:
        return self._turned(write, key, ground.at, on=False)

    def _delete(self, write: Write, key: str, _payload: Nothing, _ground: Ground) -> Step:
        before = self._found(write, key)
        if self.switched and before.enabled:
            raise Conflict(f"this {self.noun} is on; disable it first")
        if why := self.wanted(write, key):
            raise Conflict(why)
        self.store.remove(write, key)
        return Step(before=dump(before), after=None)

    def _create_level(self, _read: Read, _key: str, payload: Any) -> Level:
        return self.level(None, self._given(payload))

    def _edit_level(self, read: Read, key: str, payload: Any) -> Level:
        return self.level(self._found(read, key), self._given(payload))

    def _enable_level(self, read: Read, key: str, _payload: Nothing) -> Level:
        before = self._found(read, key)
        return self.level(before, replace(before, enabled=True))

    def _rollback_level(self, read: Read, key: str, _payload: Nothing) -> Level:
        before, after = self._returning(read, key)
        return "safe" if after is None else self.back(before, after)
