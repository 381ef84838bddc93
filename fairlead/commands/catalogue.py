"""The catalogue: what it holds, its syncs and their reports, and files read once."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from fairlead.commands.jobs import requested
from fairlead.commands.options import Json, Limit, Reason, Yes, act, control, document, noun, settings
from fairlead.console import agreed, emit, say
from storage.errors import FairleadError, Invalid

app = noun("catalogue", "The catalogue: show, item, put, import; its syncs: syncs, sync, declare, remove, run.")
Name = Annotated[str, typer.Argument(help="The sync's name.")]
COUNTS = ("rows", "added", "changed", "unchanged", "hidden", "refused", "version")


@app.command()
def show(ctx: typer.Context, *, as_json: Json = False) -> None:
    """Tell what the catalogue holds."""
    found = control(ctx).get("/catalogue")
    emit(found if as_json else found["holding"], as_json=as_json)


@app.command()
def item(
    ctx: typer.Context, *, item_id: Annotated[str, typer.Argument(help="The item's id.")], as_json: Json = False
) -> None:
    """Show one item."""
    emit(control(ctx).get(f"/catalogue/items/{item_id}"), as_json=as_json)


@app.command()
def put(
    ctx: typer.Context,
    *,
    source: Annotated[str, typer.Argument(help='A JSON file {"items": […]}, or - for stdin; at most 1,000 items.')],
    yes: Yes = False,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Add items, or replace them whole."""
    body = {"items": document(source).get("items")}
    act(
        ctx,
        "/catalogue/items",
        action="put items into the catalogue",
        yes=yes,
        reason=reason,
        as_json=as_json,
        body=body,
    )


@app.command("import")
def read_once(
    ctx: typer.Context,
    *,
    file: Annotated[Path, typer.Argument(help="CSV, Parquet, JSON, or one JSON record per line.")],
    mapping: Annotated[
        str, typer.Option("--mapping", help='Which column is which field, as JSON: \'{"item_id": "sku"}\'.')
    ] = "{}",
    delimiter: Annotated[str, typer.Option("--delimiter", help="Of a CSV file.")] = ",",
    records: Annotated[str, typer.Option("--records", help="The path to the list in a JSON file.")] = "",
    hide: Annotated[bool, typer.Option("--hide", help="Hide what an earlier import brought and is not there.")] = False,
    name: Annotated[str, typer.Option("--name", help="The name of the source.")] = "import",
    as_json: Json = False,
) -> None:
    """Read a file here and now; report what was added, changed and refused."""
    from collectors.catalogue import Syncing, sync_catalogue
    from fairlead.wiring import open_existing
    from storage.records import clock
    from storage.records.document import parse
    from storage.records.syncs import CatalogueSync

    try:
        columns = orjson.loads(mapping)
    except orjson.JSONDecodeError:
        raise Invalid('--mapping is a JSON object, such as \'{"item_id": "sku", "title": "name"}\'') from None
    declared = parse(
        CatalogueSync,
        {
            "source": "file",
            "location": str(file.absolute()),
            "mapping": columns,
            "delimiter": delimiter,
            "records": records,
            "vanished": "hide" if hide else "leave",
        },
    )
    store = open_existing(settings(ctx))
    context = Syncing(database=store.database, home=store.home, now=clock.now)
    told = asdict(sync_catalogue(context, name, declared, force=True))
    if told["result"] == "failed":
        raise FairleadError(f"nothing was taken: {told['note']}")
    _report(told, as_json=as_json)


@app.command()
def syncs(ctx: typer.Context, *, as_json: Json = False) -> None:
    """List the syncs with their latest reports."""
    found = control(ctx).get("/catalogue/syncs")["syncs"]
    if as_json:
        emit(found, as_json=True)
        return
    rows = [
        {
            "name": each["name"],
            "source": each["sync"]["source"],
            "every_s": each["sync"]["every_s"],
            "result": (each["latest"] or {}).get("result", "not run yet"),
            **{key: (each["told"] or {}).get(key, "") for key in COUNTS[:-1]},
            "note": (each["latest"] or {}).get("note", ""),
        }
        for each in found
    ]
    emit(rows, as_json=False)


@app.command()
def sync(ctx: typer.Context, *, name: Name, limit: Limit = 10, as_json: Json = False) -> None:
    """Show a sync, its latest runs, and the rows that the latest refused."""
    found = control(ctx).get(f"/catalogue/syncs/{name}")
    if as_json:
        emit(found, as_json=True)
        return
    emit(found["runs"][:limit], as_json=False, columns=("started_at", "result", *COUNTS, "note"))
    told = next((run for run in found["runs"] if run["result"] == "ok"), None)
    if told is not None and told["refusals"]:
        emit(told["refusals"], as_json=False, columns=("row", "field", "reason"))


@app.command()
def declare(
    ctx: typer.Context,
    *,
    name: Name,
    source: Annotated[str, typer.Argument(help="A JSON file with the sync, or - for stdin.")],
    yes: Yes = False,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Declare a sync, or replace the one of this name; it runs within seconds."""
    client, wanted = control(ctx), document(source)
    why = agreed(yes=yes, reason=reason, action=f"declare the catalogue sync {name}")
    known = next((each for each in client.get("/catalogue/syncs")["syncs"] if each["name"] == name), None)
    body: dict[str, Any] = {"sync": wanted, "reason": why}
    if known is None:
        emit(client.post("/catalogue/syncs", {"name": name, **body}), as_json=as_json)
    else:
        emit(client.put(f"/catalogue/syncs/{name}", body, etag=known["etag"]), as_json=as_json)


@app.command()
def remove(ctx: typer.Context, *, name: Name, yes: Yes = False, reason: Reason = None, as_json: Json = False) -> None:
    """Remove a sync; the items that it brought stay."""
    act(
        ctx,
        f"/catalogue/syncs/{name}/remove",
        action=f"remove the catalogue sync {name}",
        yes=yes,
        reason=reason,
        as_json=as_json,
    )


@app.command()
def run(ctx: typer.Context, *, name: Name, reason: Reason = None, as_json: Json = False) -> None:
    """Run a sync now, whether its source says that it changed or not, and wait for the report."""
    job = requested(ctx, "catalogue", pairs=[f"sync={name}"], wait=True, reason=reason)
    _report(job["result"], as_json=as_json)


def _report(told: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        emit(told, as_json=True)
        return
    emit({key: told[key] for key in COUNTS}, as_json=False)
    if told["refusals"]:
        emit(list(told["refusals"]), as_json=False, columns=("row", "field", "reason"))
        more = told["refused"] - len(told["refusals"])
        if more > 0:
            say(f"and {more:,} more")
