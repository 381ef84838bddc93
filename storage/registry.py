"""The model registry: every version that was trained, and the one of each name that is in service."""

from sqlmodel import col, desc, select, update

from storage.database import Read, Write
from storage.errors import Conflict, NotFound
from storage.records.document import canonical, parse
from storage.records.models import ModelVersion
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


def promote(write: Write, name: str, version: str) -> None:
    """Put one version of a model in service and take the others out.

    Raises
    ------
    NotFound
        If there is no such version.
    """
    if write.get(ModelRow, (name, version)) is None:
        raise NotFound(f"model {name} has no version {version}")
    write.execute(
        update(ModelRow).where(col(ModelRow.name) == name).values(in_service=col(ModelRow.version) == version)
    )


def models(read: Read) -> list[ModelVersion]:
    """Return every version, newest first."""
    rows = read.all(select(ModelRow).order_by(desc(ModelRow.created_at), ModelRow.name, ModelRow.version))
    return [parse(ModelVersion, row.document) for row in rows]


def in_service(read: Read) -> dict[str, ModelVersion]:
    """Return the version in service of each model name that has one."""
    rows = read.all(select(ModelRow).where(col(ModelRow.in_service).is_(True)))
    return {row.name: parse(ModelVersion, row.document) for row in rows}
