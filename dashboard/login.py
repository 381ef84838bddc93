"""The way in: a one-time link becomes a cookie that no script can read; Streamlit itself cannot write cookies."""

import time

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

PREFIX = "/control/v1"
LONGEST_S = 30 * 86_400


def cookie_name(port: int | str) -> str:
    """Name the session cookie of the copy on ``port``; cookies of one host are shared by all its ports.

    >>> cookie_name(8501)
    'fairlead_8501'
    """
    return f"fairlead_{port}"


def _lasting(expires_at: object) -> int | None:
    if not isinstance(expires_at, int):
        return None
    return max(0, min(LONGEST_S, expires_at // 1_000_000 - int(time.time())))


def routes(control_url: str, port: int) -> list[BaseRoute]:
    """Return the routes of logging in and out, and of health."""
    name = cookie_name(port)

    async def ask(path: str, *, body: object = None, token: str = "") -> httpx.Response | None:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        try:
            async with httpx.AsyncClient(base_url=control_url, timeout=5.0, trust_env=False) as client:
                return await client.post(PREFIX + path, json=body, headers=headers)
        except httpx.HTTPError:
            return None

    async def once(request: Request) -> Response:
        answer = await ask("/auth/exchange", body={"once": request.path_params["token"]})
        if answer is None or answer.status_code >= 500:
            return RedirectResponse("/?login=unreachable", status_code=303)
        if answer.status_code != 200:
            return RedirectResponse("/?login=refused", status_code=303)
        session = answer.json()
        response = RedirectResponse("/", status_code=303, headers={"cache-control": "no-store"})
        response.set_cookie(
            name,
            session["token"],
            max_age=_lasting(session.get("expires_at")),
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
            path="/",
        )
        return response

    async def leave(request: Request) -> Response:
        token = request.cookies.get(name, "")
        if token:
            await ask("/auth/logout", body={}, token=token)
        response = RedirectResponse("/?login=left", status_code=303)
        response.delete_cookie(name, path="/", httponly=True, samesite="lax")
        return response

    async def health(_request: Request) -> Response:
        return JSONResponse({"ok": True})

    return [
        Route("/auth/once/{token}", once, methods=["GET"]),
        Route("/auth/leave", leave, methods=["GET"]),
        Route("/healthz", health, methods=["GET"]),
    ]
