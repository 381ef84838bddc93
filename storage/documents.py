"""Documents of control state that have one instance each: the installation's settings, the kill switch."""

from typing import Any, TypeVar

from storage.database import Read, Write
from storage.errors import Invalid, Unavailable
from storage.records.document import canonical, parse
from storage.tables.control import SettingRow

T = TypeVar("T")


def load(read: Read, key: str, cls: type[T]) -> T | None:
    """Return the document under ``key``, or None.

    Raises
    ------
    Unavailable
        If what is stored is no ``cls``.
    """
    row = read.get(SettingRow, key)
    if row is None:
        return None
    try:
        return parse(cls, row.document)
    except Invalid as error:
        raise Unavailable(f"the stored document {key} cannot be read: {error}") from error


def save(write: Write, key: str, document: Any) -> None:
    """Put a document under ``key``; an older one gives way."""
    write.merge(SettingRow(key=key, document=canonical(document)))
