"""The ledger: read it, and prove that nobody touched it."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from fairlead.commands.options import Json, Limit, control, noun, settings
from fairlead.console import emit, say
from storage.errors import Invalid, NotFound, Problem
from storage.files import wire

app = noun("ledger", "The chained log of control actions: list, verify, export, prove, key.")

Out = Annotated[Path, typer.Option("--out", help="The ZIP file to write.", dir_okay=False)]
Actor = Annotated[str | None, typer.Option("--actor", help="Only this actor's.")]
Action = Annotated[str | None, typer.Option("--action", help="Only this action.")]
Object = Annotated[str | None, typer.Option("--object", help="Only about this object.")]


@app.command("list")
def listed(
    ctx: typer.Context,
    *,
    actor: Actor = None,
    action: Action = None,
    object_key: Object = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List entries, newest first."""
    query = {"actor": actor, "action": action, "object_key": object_key, "limit": limit}
    rows = control(ctx).get("/ledger", **query)["entries"]
    columns = ("seq", "at", "actor", "action", "object_key", "result", "reason")
    emit(rows, as_json=as_json, columns=columns)


def _own_database(ctx: typer.Context) -> dict[str, Any]:
    from fairlead.wiring import open_existing
    from storage import ledger

    store = open_existing(settings(ctx))
    with store.database.read() as read:
        return asdict(ledger.verify(read, keys=store.keys, anchors=store.anchors))


def _bundle(bundle: Path, key: Path | None) -> dict[str, Any]:
    from storage import verifier

    if key is None:
        raise Invalid(
            "key: name the public key of the installation (`fairlead ledger key` there prints it)",
            problems=(Problem(field="key", message="is needed to check a bundle"),),
        )
    for path in (bundle, key):
        if not path.is_file():
            raise NotFound(f"{path} is no file")
    with wire(bundle.name):
        try:
            return verifier.judge(verifier.read(bundle), key.read_bytes())
        except ValueError as error:
            raise Invalid(f"{bundle.name}: {error}") from None


@app.command()
def verify(
    ctx: typer.Context,
    *,
    bundle: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="A bundle of `ledger export` or `ledger prove`.")
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Ask nobody: check FILE, or the database itself; control may be down.")
    ] = False,
    key: Annotated[
        Path | None, typer.Option("--key", help="The installation's public key, which is all that FILE needs.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check the whole chain against the anchors outside the database, or an exported file; exit 6 where it does not
    hold."""
    if bundle is not None:
        found = _bundle(bundle, key)
    else:
        found = _own_database(ctx) if offline else control(ctx).get("/ledger/verify")
    emit(found, as_json=as_json)
    if not found["ok"]:
        raise typer.Exit(6)


def keep(out: Path, content: bytes) -> None:
    """Write a bundle, and say how it is checked."""
    with wire(out.name):
        out.write_bytes(content)
    say(f"wrote {out}; check it anywhere: fairlead ledger verify --offline {out} --key public.pem")


@app.command()
def export(
    ctx: typer.Context,
    *,
    out: Out = Path("ledger.zip"),
    actor: Actor = None,
    action: Action = None,
    object_key: Object = None,
    first: Annotated[int | None, typer.Option("--first", min=1, help="From this entry.")] = None,
    last: Annotated[int | None, typer.Option("--last", min=1, help="To this entry.")] = None,
) -> None:
    """Write entries as a bundle that anyone checks with the public key alone; others stay hidden behind digests."""
    asked = {"actor": actor, "action": action, "object_key": object_key, "first": first, "last": last}
    query = urlencode({name: value for name, value in asked.items() if value is not None})
    keep(out, control(ctx).download(f"/ledger/export?{query}"))


@app.command()
def prove(
    ctx: typer.Context,
    *,
    seq: Annotated[int, typer.Argument(min=1, help="The entry's number.")],
    out: Out = Path("proof.zip"),
) -> None:
    """Write one entry with the chain's segment between the two anchors around it."""
    keep(out, control(ctx).download(f"/ledger/{seq}/proof"))


@app.command("key")
def public_key(ctx: typer.Context) -> None:
    """Print the public key that anchors, receipts and bundles are checked with."""
    typer.echo(control(ctx).download("/ledger/key").decode().strip())
