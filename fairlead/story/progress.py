"""How far an installation's story was told, kept with its other cursors."""

from dataclasses import asdict, dataclass, field, replace

import orjson

from fairlead.wiring import Store
from storage import catalogue, cursors, revisions

CURSOR = "story"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """When a story began and shall end, up to when it was told, which scenes were played. One that was given up ends
    where it was told up to."""

    start: int
    end: int
    at: int
    played: tuple[str, ...] = field(default=())

    def spelled(self) -> str:
        """Return it as text."""
        return orjson.dumps(asdict(self)).decode()


def progress(store: Store) -> Progress | None:
    """Return how far the story of this installation was told; None where it has none."""
    with store.database.read() as read:
        text = cursors.position(read, CURSOR)
    if text is None:
        return None
    known = orjson.loads(text)
    return Progress(**{**known, "played": tuple(known["played"])})


def keep(store: Store, before: Progress | None, after: Progress) -> None:
    """Note how far it came, so that an interrupted story goes on from there.

    Raises
    ------
    Conflict
        If another process tells it, too.
    """
    if after != before:
        with store.database.write() as write:
            said = before.spelled() if before else None
            cursors.advance(write, CURSOR, before=said, after=after.spelled(), fence=None)


def give_up(store: Store) -> None:
    """Let a story that was interrupted end where it stopped: what comes next is of today."""
    known = progress(store)
    if known is not None and known.at < known.end:
        keep(store, known, replace(known, end=known.at))


def wanted(store: Store) -> bool:
    """Tell whether there is a story to begin or to go on with: nothing was done here yet, or one was interrupted."""
    known = progress(store)
    if known is not None:
        return known.at < known.end
    with store.database.read() as read:
        return revisions.number(read) == 0 and catalogue.version(read) == 0
