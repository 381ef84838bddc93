"""The wordings that people are asked with: published once, never changed."""

from hashlib import sha256

from sqlmodel import col, desc, select

from storage.database import Read, Write
from storage.records.consent import ConsentText, Purpose
from storage.tables.consent import ConsentTextRow


def digest_of(body: str) -> str:
    """Return the SHA-256 of a wording.

    >>> digest_of("yes?")[:8]
    '4d6068a0'
    """
    return sha256(body.encode("utf-8", "surrogatepass")).hexdigest()


def publish(
    write: Write, *, purpose: Purpose, version: str, language: str, body: str, author: str, at: int
) -> ConsentText:
    """Keep a wording."""
    text = ConsentText(
        purpose=purpose, version=version, language=language, body=body, digest=digest_of(body), at=at, author=author
    )
    plain = {name: getattr(text, name) for name in ConsentText.__dataclass_fields__}
    write.add(ConsentTextRow(**plain | {"purpose": purpose.value}))
    write.flush()
    return text


def find(read: Read, purpose: Purpose, version: str) -> ConsentText | None:
    """Return one wording or None."""
    row = read.get(ConsentTextRow, (purpose.value, version))
    return None if row is None else _text(row)


def listed(read: Read) -> list[ConsentText]:
    """Return every wording, by purpose, newest first."""
    statement = select(ConsentTextRow).order_by(col(ConsentTextRow.purpose), desc(ConsentTextRow.at))
    return [_text(row) for row in read.all(statement)]


def _text(row: ConsentTextRow) -> ConsentText:
    plain = {name: getattr(row, name) for name in ConsentText.__dataclass_fields__}
    return ConsentText(**plain | {"purpose": Purpose(row.purpose)})
