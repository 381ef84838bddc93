"""The dashboard's process: one ASGI application that serves the pages, the one-time login and security headers."""

import contextlib
import socket
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

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


def build(config: DashboardConfig) -> st.App:
    """Return the ASGI application. One per process: Streamlit's settings are global."""
    settings: dict[str, SecretsValue] = {key: str(value) for key, value in asdict(config).items()}
    application = st.App(
        SCRIPT,
        secrets={"fairlead": settings},
        routes=[*login.routes(config.control_url, config.port), *entrance.routes()],
        middleware=[Middleware(SecurityHeaders)],
    )
    hosts = sorted({"localhost", "127.0.0.1", "[::1]", config.host, socket.gethostname()})
    bootstrap.load_config_options(
        {
            "server.address": config.host,
            "server.port": config.port,
            "browser.serverPort": config.port,
            "server.allowedHosts": [] if config.host in {"0.0.0.0", "::"} else hosts,  # noqa: S104  # compared, not bound
        }
    )
    return application


def run(config: DashboardConfig) -> int:
    """Serve until told to stop; 0 after a graceful stop, 1 when the port cannot be had."""
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
