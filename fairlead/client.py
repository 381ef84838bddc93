"""The control API as commands call it: whose token, where, and how long they wait."""

import httpx

from dashboard.control import ControlClient
from fairlead.settings import Settings
from storage.errors import Forbidden
from storage.keys import read_token


def own_token(settings: Settings, name: str = "admin") -> str:
    """Return the token of a command: the setting ``token`` (for ``admin``), or the file that the first start wrote.

    Raises
    ------
    Forbidden
        When there is neither.
    """
    if settings.token is not None and name == "admin":
        return settings.token.get_secret_value()
    token = read_token(settings.home, name)
    if token is None:
        raise Forbidden(
            f"{settings.home / 'keys' / name}.token is not there; start the installation once with `fairlead up`, "
            "or set FAIRLEAD_TOKEN"
        )
    return token


def control_client(settings: Settings, *, timeout_s: float = 30.0) -> ControlClient:
    """Return a client of the control API with this command's token."""
    http = httpx.Client(
        base_url=settings.control,
        timeout=httpx.Timeout(timeout_s, connect=3.0),
        limits=httpx.Limits(max_keepalive_connections=0),  # a command asks once or twice, and leaves nothing open
        trust_env=False,
    )
    return ControlClient(http, own_token(settings))
