"""Files that are there whole or not at all, and survive power loss."""

import contextlib
import errno
import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from storage.errors import Conflict, Full, Unavailable


@contextlib.contextmanager
def wire(what: str) -> Iterator[None]:
    """Translate the operating system's errors inside the block; ``what`` names the file for the reader.

    Raises
    ------
    Full, Unavailable
        For a full disk, and for everything else that the operating system refuses.
    """
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise Full(f"no room left on the disk of {what}; free some space and try again") from error
        raise Unavailable(f"{what} cannot be read or written: {os.strerror(error.errno or 0).lower()}") from error


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_whole(path: Path, data: bytes, *, replace: bool, mode: int = 0o600) -> None:
    """Write a file in one step: nobody ever sees a part of it.

    Parameters
    ----------
    path
        Where the file shall be; its folder is made, closed to others, if it is missing.
    data
        Everything that it shall hold.
    replace
        Whether an older file gives way. If not, the older one stays as it is.
    mode
        Its permissions.

    Raises
    ------
    Full, Unavailable
        As the disk answers; an older file is then as it was.
    """
    with wire(path.name):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                os.fchmod(file.fileno(), mode)
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            if replace:
                Path(temporary).replace(path)
            else:
                with contextlib.suppress(FileExistsError):
                    os.link(temporary, path)
        finally:
            Path(temporary).unlink(missing_ok=True)
        sync_folder(path.parent)


def claim(path: Path) -> int:
    """Claim ``path`` for this process alone; return a handle that holds the claim until it is closed.

    The claim is a lock on a file beside it, which the operating system drops when the process ends, however it ends.

    Raises
    ------
    Conflict
        If another process holds it.
    Unavailable, Full
        If the folder cannot be written.
    """
    with wire(path.name):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise Conflict(f"another process has {path.name} open") from error
    return handle
