"""The model registry: every version that was trained, the one of each name in service, and those before it."""

from collections.abc import Mapping
from typing import Any

import orjson
from sqlmodel import col, desc, select, update

from storage.database import Read, Write
from storage.errors import Conflict, NotFound
from storage.records.document import canonical, parse
from storage.records.models import ModelVersion, Standing
from storage.tables.control import ModelRow


def register(write: Write, model: ModelVersion) -> None:
    """Add a model version, not in service. The same version again changes nothing.

    Raises
    ------
    Conflict
        If another document was registered under this name and version.
    """
    document = canonical(model)
    known = write.get(ModelRow, (model.name, model.version))
    if known is None:
        write.add(ModelRow(name=model.name, version=model.version, created_at=model.created_at, document=document))
        write.flush()
    elif known.document != document:
        raise Conflict(f"model {model.name} already has another version {model.version}; versions are immutable")


def promote(write: Write, name: str, version: str, *, at: int | None = None) -> None:
    """Put one version of a model in service and take the others out.

    ``at`` is when; left out, right after the version that was put in service last.

    Raises
    ------
    NotFound
        If there is no such version.
    """
    row = _row(write, name, version)
    rows = _rows(write, name)
    last = max((other.served_at for other in rows if other.served_at is not None), default=row.created_at - 1)
    _serve(write, name, version)
    row.served_at, row.withdrawn_at = max(last + 1, last + 1 if at is None else at), None
    write.add(row)


def roll_back(write: Write, name: str, *, at: int) -> tuple[str, str]:
    """Take the version in service back and put the one before it in service again; return both, in this order.

    What was taken back is passed over by the next rollback, and until a version is put in service by hand none is
    by itself (``held``).

    Raises
    ------
    NotFound, Conflict
        If no version of this name serves, or none served before it.
    """
    rows = _rows(write, name)
    current = next((row for row in rows if row.in_service), None)
    if current is None:
        raise NotFound(f"no version of model {name} is in service")
    earlier = [row for row in rows if row.served_at is not None and row.withdrawn_at is None and row is not current]
    if not earlier:
        raise Conflict(f"no other version of model {name} was in service before; promote one by its version")
    back = max(earlier, key=lambda row: (row.served_at or 0, row.version))
    _serve(write, name, back.version)
    current.withdrawn_at = max(at, (current.served_at or 0) + 1)
    write.add(current)
    return current.version, back.version


def held(read: Read, name: str) -> bool:
    """Tell whether a version was taken back and no version was put in service since."""
    rows = _rows(read, name)
    served = max((row.served_at for row in rows if row.in_service and row.served_at is not None), default=None)
    taken = max((row.withdrawn_at for row in rows if row.withdrawn_at is not None), default=None)
    return taken is not None and (served is None or taken > served)


def note_verdict(write: Write, name: str, version: str, verdict: Mapping[str, Any]) -> None:
    """Keep what was said of a version when it was compared with the one in service.

    Raises
    ------
    NotFound
        If there is no such version.
    """
    row = _row(write, name, version)
    row.verdict = canonical(dict(verdict)).decode()
    write.add(row)


def models(read: Read) -> list[ModelVersion]:
    """Return every version, newest first."""
    return [standing.model for standing in standings(read)]


def standings(read: Read) -> list[Standing]:
    """Return every version with how it stands, newest first."""
    rows = read.all(select(ModelRow).order_by(desc(ModelRow.created_at), ModelRow.name, ModelRow.version))
    return [
        Standing(
            model=parse(ModelVersion, row.document),
            in_service=row.in_service,
            served_at=row.served_at,
            withdrawn_at=row.withdrawn_at,
            verdict=None if row.verdict is None else orjson.loads(row.verdict),
        )
        for row in rows
    ]


def in_service(read: Read) -> dict[str, ModelVersion]:
    """Return the version in service of each model name that has one."""
    rows = read.all(select(ModelRow).where(col(ModelRow.in_service).is_(True)))
    return {row.name: parse(ModelVersion, row.document) for row in rows}


def _row(read: Read, name: str, version: str) -> ModelRow:
    row = read.get(ModelRow, (name, version))
    if row is None:
        raise NotFound(f"model {name} has no version {version}")
    return row


def _rows(read: Read, name: str) -> list[ModelRow]:
    return list(read.all(select(ModelRow).where(col(ModelRow.name) == name)))


def _serve(write: Write, name: str, version: str) -> None:
    write.execute(
        update(ModelRow).where(col(ModelRow.name) == name).values(in_service=col(ModelRow.version) == version)
    )
