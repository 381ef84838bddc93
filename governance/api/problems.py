"""RFC 9457 problem details with a stable code; what the caller sent is never part of them."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from storage.errors import FairleadError, Invalid, Problem, Unauthenticated

SHOWN = 20
"""How many problems one answer names; a hostile body has many."""


def problem(
    status: int,
    detail: str,
    *,
    code: str = "",
    problems: Sequence[Problem] = (),
    headers: dict[str, str] | None = None,
) -> Response:
    """Return a problem document."""
    code = code or f"FL-1{status}"
    document = {
        "type": f"urn:fairlead:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        "problems": [{"field": one.field, "message": one.message} for one in problems[:SHOWN]],
    }
    return Response(orjson.dumps(document), status_code=status, media_type="application/problem+json", headers=headers)


def of_error(error: FairleadError) -> Response:
    """Return the problem document of one of the house's errors."""
    problems = error.problems if isinstance(error, Invalid) else ()
    headers = {"www-authenticate": "Bearer"} if isinstance(error, Unauthenticated) else None
    return problem(error.status, str(error), code=error.code, problems=problems, headers=headers)


def _field(location: Sequence[Any]) -> str:
    parts = [str(part) for part in location if part not in {"body", "query", "path", "header"}]
    return ".".join(parts) or "body"


async def _house(_request: Request, error: Exception) -> Response:
    assert isinstance(error, FairleadError)  # noqa: S101  # registered for it alone
    return of_error(error)


async def _validation(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  # registered for it alone
    problems = tuple(
        Problem(
            field="body" if item["type"] == "json_invalid" else _field(item["loc"]),
            message=item["ctx"]["error"] if item["type"] == "json_invalid" else item["msg"],
        )
        for item in error.errors()
    )
    return of_error(Invalid(f"{problems[0].field}: {problems[0].message}", problems=problems))


async def _http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  # registered for it alone
    return problem(error.status_code, HTTPStatus(error.status_code).phrase, headers=dict(error.headers or {}))


async def _bug(_request: Request, _error: Exception) -> Response:
    return problem(500, "something went wrong here; it is in the log of the control process")


def install(app: FastAPI) -> None:
    """Make every error of an application a problem document."""
    app.add_exception_handler(FairleadError, _house)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _bug)
