"""A small OpenID Connect provider that runs as a process of its own: ``python -m tests.provider PORT``.

Who opens its page picks one of a few people; ``/forge`` makes any token that a test wants, good or bad.
"""

import base64
import hashlib
import json
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import uvicorn
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

CLIENT, SECRET = "fairlead", "a-secret-of-the-client"
PEOPLE: dict[str, dict[str, Any]] = {
    "olga": {"groups": ["staff", "fl-ops"], "email": "Olga@Example.org", "email_verified": True},
    "mia": {"groups": ["staff", "fl-shop"], "email": "mia@example.org", "email_verified": False},
    "nobody": {"groups": ["staff"], "email": "nobody@example.org", "email_verified": True},
}
ROLES = "fl-ops=ops,fl-shop=marketer"


class Provider:
    """Its keys, and the codes that it gave out."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.keys = [self.key()]
        self.codes: dict[str, dict[str, str]] = {}

    def key(self) -> RSAKey:
        return RSAKey.generate_key(2048, {"kid": secrets.token_hex(4), "use": "sig", "alg": "RS256"})

    def token(self, person: str, **changed: Any) -> str:
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT, "sub": person, "iat": now, "exp": now + 600, **PEOPLE.get(person, {})}
        claims |= changed
        return jwt.encode(
            {"alg": "RS256", "kid": self.keys[-1].kid},
            {name: value for name, value in claims.items() if value is not None},
            self.keys[-1],
        )

    async def configuration(self, _request: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
                "end_session_endpoint": f"{self.url}/bye",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
            }
        )

    async def published(self, _request: Request) -> Response:
        return JSONResponse({"keys": [key.as_dict(private=False) for key in self.keys]})

    async def authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        if "person" not in asked:
            links = "".join(
                f'<p><a href="/authorize?{urlencode({**asked, "person": name})}">{name}</a></p>' for name in PEOPLE
            )
            return HTMLResponse(f"<h1>Who are you?</h1>{links}")
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        back = urlencode({"code": code, "state": asked["state"]})
        return RedirectResponse(f"{asked['redirect_uri']}?{back}", status_code=302)

    async def exchange(self, request: Request) -> Response:
        form = {key: str(value) for key, value in (await request.form()).items()}
        basic = request.headers.get("authorization", "").removeprefix("Basic ")
        known = base64.b64decode(basic).decode() if basic else f"{form.get('client_id')}:{form.get('client_secret')}"
        asked = self.codes.pop(form.get("code", ""), None)
        proof = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest()).rstrip(b"=")
        if known != f"{CLIENT}:{SECRET}" or asked is None or asked.get("code_challenge") != proof.decode():
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        token = self.token(asked["person"], nonce=asked.get("nonce"))
        return JSONResponse({"access_token": "opaque", "token_type": "Bearer", "expires_in": 600, "id_token": token})

    async def forge(self, request: Request) -> Response:
        asked = await request.json()
        how, person, claims = asked.get("how", "good"), asked.get("person", "olga"), asked.get("claims", {})
        good = self.token(person, **claims)
        head, body, signature = good.split(".")
        if how == "unsigned":
            none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
            return JSONResponse(f"{none}.{body}.")
        if how == "shared":
            public = self.keys[-1].as_pem(private=False)
            key = OctKey.import_key(public.hex())
            claims = json.loads(base64.urlsafe_b64decode(body + "=="))
            return JSONResponse(jwt.encode({"alg": "HS256", "kid": self.keys[-1].kid}, claims, key))
        if how == "edited":
            claims = json.loads(base64.urlsafe_b64decode(body + "==")) | {"groups": ["fl-ops"], "sub": "eve"}
            body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
            return JSONResponse(f"{head}.{body}.{signature}")
        if how == "stranger":
            other = Provider(self.url)
            other.keys[0].as_dict()
            return JSONResponse(other.token(person, **claims))
        if how == "rotated":
            self.keys.append(self.key())
            return JSONResponse(self.token(person, **claims))
        return JSONResponse(good)

    async def bye(self, _request: Request) -> Response:
        return HTMLResponse("<h1>Signed out</h1>")


def application(url: str) -> Starlette:
    provider = Provider(url)
    return Starlette(
        routes=[
            Route("/.well-known/openid-configuration", provider.configuration),
            Route("/keys", provider.published),
            Route("/authorize", provider.authorize),
            Route("/token", provider.exchange, methods=["POST"]),
            Route("/forge", provider.forge, methods=["POST"]),
            Route("/bye", provider.bye),
        ]
    )


class Running:
    """A provider that runs."""

    def __init__(self, url: str) -> None:
        self.url = url

    def token(self, person: str = "olga", how: str = "good", **claims: Any) -> str:
        asked = {"how": how, "person": person, "claims": claims}
        return str(httpx.post(f"{self.url}/forge", json=asked, trust_env=False, timeout=30).json())


@contextmanager
def provider(port: int) -> Iterator[Running]:
    """Run the provider as a process."""
    child = subprocess.Popen([sys.executable, "-m", "tests.provider", str(port)], cwd=Path(__file__).parent.parent)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                if httpx.get(f"{url}/keys", trust_env=False, timeout=2).status_code == 200:
                    break
            except httpx.HTTPError:
                time.sleep(0.05)
        yield Running(url)
    finally:
        child.terminate()
        child.wait(10)


if __name__ == "__main__":
    own = int(sys.argv[1])
    uvicorn.run(application(f"http://127.0.0.1:{own}"), host="127.0.0.1", port=own, log_level="warning")
