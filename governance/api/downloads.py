"""Files made for one answer and gone with it."""

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from fastapi import Request
from starlette.background import BackgroundTask
from starlette.responses import FileResponse

from governance.api.answers import caller
from governance.api.context import ControlContext
from governance.evidence import Source
from storage.anchors import Anchors
from storage.files import wire

HEADERS = {"content-security-policy": "sandbox", "x-content-type-options": "nosniff", "cache-control": "no-store"}


def source_of(context: ControlContext, request: Request) -> Source:
    """Return whose evidence a request asks for."""
    return Source(
        keys=context.keys,
        anchors=Anchors(context.home / "anchors" / "anchors.jsonl", context.keys.signing),
        environment=context.environment,
        version=context.version,
        by=caller(request).name,
        at=context.control.now(),
    )


def archive(name: str, write: Callable[[Path], object]) -> FileResponse:
    """Return the ZIP file that ``write`` makes as a download."""
    with _scratch() as path:
        write(path)
    return FileResponse(
        path,
        filename=name,
        media_type="application/zip",
        content_disposition_type="attachment",
        headers=HEADERS,
        background=BackgroundTask(path.unlink, missing_ok=True),
    )


@contextlib.contextmanager
def _scratch() -> Iterator[Path]:
    """Give a file that stays if all goes well."""
    with wire("the bundle"):
        handle, name = tempfile.mkstemp(prefix="fairlead-", suffix=".zip")
        os.close(handle)
    path = Path(name)
    try:
        yield path
    except BaseException:
        path.unlink(missing_ok=True)
        raise
