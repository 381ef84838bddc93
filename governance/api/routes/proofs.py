"""What a person's request gave: its signed receipt, and the export itself."""

from fastapi import APIRouter, Request, Response
from starlette.responses import FileResponse

from governance.api.answers import reply, warrant
from governance.api.context import ControlContext
from governance.api.gate import Routes
from governance.erasure import EXPORTED
from governance.portability import file_of
from storage.errors import Conflict, NotFound
from storage.records.access import Scope


def routes(context: ControlContext) -> APIRouter:
    """Return the routes."""
    on = Routes()
    control = context.control

    @on.on("GET", "/subjects/requests/{request_id}/receipt", Scope.CONSENT_READ)
    def receipt(request: Request, request_id: str) -> Response:
        """Return the signed receipt: whoever has the installation's public key can check it."""
        found = control.subjects.viewed(request_id, "receipt", warrant(request, "the receipt was opened"))
        if found.receipt is None:
            raise NotFound("this request was not answered yet; its receipt is made when it is")
        return reply({"receipt": found.receipt, "public_key": context.keys.public_pem.decode()})

    @on.on("GET", "/subjects/requests/{request_id}/export", Scope.SUBJECT_ERASE)
    def download(request: Request, request_id: str) -> Response:
        """Download what was exported of a person; that somebody did stands in the ledger."""
        found = control.subjects.viewed(request_id, "export", warrant(request, "the export was downloaded"))
        if found.kind not in EXPORTED or found.state != "done":
            raise Conflict("this request has no export, or not yet")
        path = file_of(context.home, request_id)
        if not path.exists():
            raise NotFound("the export is no longer kept; ask for another")
        return FileResponse(
            path,
            media_type="application/zip",
            filename=f"{request_id}.zip",
            headers={"cache-control": "no-store", "x-content-type-options": "nosniff"},
        )

    return on.router
