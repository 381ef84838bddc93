"""Options that many commands share, and how a command reaches settings, control and documents."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import uuid4

import orjson
import typer

from dashboard.control import ControlClient
from fairlead.client import control_client
from fairlead.console import agreed, emit
from fairlead.settings import Loaded, Settings, load
from storage.errors import Invalid, NotFound

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout, nothing else.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Confirm without being asked.")]
Reason = Annotated[str | None, typer.Option("--reason", help="Why, in at least 10 characters; kept in the ledger.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=1000, help="At most so many.")]


def noun(name: str, help_text: str) -> typer.Typer:
    """Return a group of commands about one noun."""
    return typer.Typer(name=name, help=help_text, no_args_is_help=True, pretty_exceptions_enable=False)


def loaded(ctx: typer.Context, **flags: Any) -> Loaded:
    """Return the settings with their origins; ``flags`` are this command's own."""
    given = {key: value for key, value in flags.items() if value is not None}
    return load({**(ctx.find_root().obj or {}), **given})


def settings(ctx: typer.Context, **flags: Any) -> Settings:
    """Return the settings."""
    return loaded(ctx, **flags).settings


def control(ctx: typer.Context) -> ControlClient:
    """Return a client of the control API."""
    return control_client(settings(ctx))


def act(
    ctx: typer.Context,
    path: str,
    *,
    action: str,
    yes: bool,
    reason: str | None,
    as_json: bool,
    body: Mapping[str, Any] | None = None,
    confirm: str | None = None,
    method: Literal["post", "put", "delete"] = "post",
) -> None:
    """Ask for agreement, give one command to control, print what it answers. ``put`` and ``delete`` concern what
    ``path`` shows at this moment."""
    why = agreed(yes=yes, reason=reason, action=action)
    document = {**(body or {}), "reason": why}
    if confirm is not None:
        document["confirm"] = confirm
    client, once = control(ctx), str(uuid4())
    if method == "post":
        answer = client.post(path, document, once=once)
    else:
        etag = str(client.get(path)["etag"])
        answer = (client.put if method == "put" else client.delete)(path, document, etag=etag, once=once)
    emit(answer, as_json=as_json)


def document(source: str) -> dict[str, Any]:
    """Read a JSON object from a file, or from standard input for ``-``.

    Raises
    ------
    NotFound, Invalid
        When there is no such file, or it holds no JSON object.
    """
    if source == "-":
        if sys.stdin.isatty():
            raise Invalid("'-' reads a JSON document from standard input; pipe one in, or name a file")
        text = sys.stdin.buffer.read()
    else:
        try:
            text = Path(source).read_bytes()
        except OSError as error:
            raise NotFound(f"{source} cannot be read ({error.strerror}); name a JSON file, or - for stdin") from None
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Invalid(f"{source} holds no valid JSON: {error}") from None
    if not isinstance(value, dict):
        raise Invalid(f"{source} must hold one JSON object")
    return value


def condition(text: str | None) -> dict[str, Any] | None:
    """Read a condition given on the command line.

    >>> condition('{"country": "DE"}')
    {'country': 'DE'}
    """
    if text is None:
        return None
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        value = None
    if not isinstance(value, dict):
        raise Invalid('a condition is a JSON object, such as \'{"country": "DE"}\'')
    return value
