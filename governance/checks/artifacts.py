"""The files of an audit: below the home folder, written once."""

from collections.abc import Mapping
from pathlib import Path

from storage.errors import Full, Unavailable


def keep(home: Path, audit_id: str, files: Mapping[str, bytes]) -> dict[str, str]:
    """Write an audit's files to ``audits/<audit_id>/`` and return each name with its path relative to ``home``.

    Raises
    ------
    Full, Unavailable
        As the disk answers.
    """
    folder = Path("audits") / audit_id
    try:
        (home / folder).mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (home / folder / name).write_bytes(content)
    except OSError as error:
        if error.errno == 28:
            raise Full("no room left on the disk for the audit's files") from error
        raise Unavailable("the audit's folder cannot be written; check the rights of the home folder") from error
    return {name: str(folder / name) for name in files}
