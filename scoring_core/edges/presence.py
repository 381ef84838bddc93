"""Whether the control database's file is still there; SQLite itself would go on with one that was taken away."""

from pathlib import Path

from storage.database import Database
from storage.errors import Unavailable


class Presence:
    """Watches the file of an embedded database; every other one speaks for itself.

    An open SQLite connection follows its file wherever it is moved, and a new one makes an empty file in its place.
    Both would be wrong here: who takes the file away stops the database, who puts another one there replaces it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        name = database.url.database if database.url.get_backend_name() == "sqlite" else None
        self._path = Path(name) if name else None
        self._seen: tuple[int, int] | None = None

    def require(self) -> None:
        """See that the file is there; if it is another one than before, let go of the old.

        Raises
        ------
        Unavailable
            If it is gone.
        """
        if self._path is None:
            return
        try:
            found = self._path.stat()
        except OSError:
            raise Unavailable(f"the control database {self._path.name} is not where it was") from None
        now = (found.st_dev, found.st_ino)
        if self._seen is not None and self._seen != now:
            self._database.close()
        self._seen = now
