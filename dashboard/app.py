"""The dashboard's process: one ASGI application that serves the pages, the one-time login and security headers."""

import contextlib
import gc
import importlib
import socket
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import streamlit as st
import uvicorn
from starlette.middleware import Middleware
from streamlit.web import bootstrap

from dashboard import entrance, login
from dashboard.headers import SecurityHeaders

if TYPE_CHECKING:
    from streamlit.runtime.secrets import SecretsValue

SCRIPT = Path(__file__).with_name("entry") / "main.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """The identity provider that people sign in with; ``redirect`` is where it sends them back to."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    redirect: str
    cookie_secret: str = field(repr=False)

    def secrets(self) -> "dict[str, SecretsValue]":
        """Return Streamlit's own settings of ``st.login``; the identity token is what control judges."""
        return {
            "redirect_uri": self.redirect,
            "cookie_secret": self.cookie_secret,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "server_metadata_url": self.issuer.rstrip("/") + "/.well-known/openid-configuration",
            "expose_tokens": ["id"],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardConfig:
    """Where the dashboard listens and what it reads.

    ``control_url`` is the root of the control API's server, such as ``http://127.0.0.1:8020``; ``home`` holds the
    lake; ``database_url`` is opened for reading only.
    """

    home: Path
    host: str = "127.0.0.1"
    port: int = 8501
    database_url: str
    control_url: str
    environment: str = "development"
    sign_in: SignIn | None = None


def build(config: DashboardConfig) -> st.App:
    """Return the ASGI application. One per process: Streamlit's settings are global."""
    shown = {item.name: getattr(config, item.name) for item in fields(config) if item.name != "sign_in"}
    settings: dict[str, SecretsValue] = {key: str(value) for key, value in shown.items()}
    secrets: dict[str, SecretsValue] = {"fairlead": settings}
    if config.sign_in is not None:
        secrets["auth"] = config.sign_in.secrets()
    application = st.App(
        SCRIPT,
        secrets=secrets,
        routes=[*login.routes(config.control_url, config.port), *entrance.routes()],
        middleware=[Middleware(SecurityHeaders)],
    )
    told = urlsplit(config.sign_in.redirect).hostname if config.sign_in else None
    hosts = sorted({"localhost", "127.0.0.1", "[::1]", config.host, socket.gethostname(), told or config.host})
    bootstrap.load_config_options(
        {
            "server.address": config.host,
            "server.port": config.port,
            "browser.serverPort": config.port,
            "server.allowedHosts": [] if config.host in {"0.0.0.0", "::"} else hosts,  # noqa: S104  # compared, not bound
        }
    )
    return application


def settle() -> None:
    """Load what pages are made of before the first one is asked for, and keep the garbage collector off it: it stays
    as long as the process does, and to walk it takes longer than to draw a page."""
    importlib.import_module("dashboard.shell")
    gc.collect()
    gc.freeze()


def run(config: DashboardConfig) -> int:
    """Serve until told to stop; 0 after a graceful stop, 1 when the port cannot be had."""
    settle()
    server = uvicorn.Server(
        uvicorn.Config(
            build(config),
            host=config.host,
            port=config.port,
            access_log=False,
            log_level="warning",
            server_header=False,
            timeout_graceful_shutdown=5,
        )
    )
    try:
        with contextlib.suppress(KeyboardInterrupt):
            server.run()
    except SystemExit:
        return 1
    return 0 if server.started else 1
