"""People's requests about their own data: look up, export, correct, object, restrict, erase, prove."""

from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from fairlead.commands.options import Json, Reason, Yes, act, control, noun, settings
from fairlead.console import agreed, emit, say
from storage.errors import Invalid
from storage.records.consent import Purpose

app = noun("subject", "People's requests: look-up, access, portability, rectify, object, restrict, erase, receipts.")
Subject = Annotated[str, typer.Argument(help="The subject's id, as your application sends it.")]
RequestId = Annotated[str, typer.Argument(help="The request's id; `fairlead subject requests` lists them.")]
COLUMNS = ("request_id", "kind", "state", "received_at", "due_at", "days_left", "overdue", "actor")


@app.command("look-up")
def look_up(
    ctx: typer.Context, *, subject: Subject, yes: Yes = False, reason: Reason = None, as_json: Json = False
) -> None:
    """Show what a person said, stated and asked for; the look-up itself is kept in the ledger."""
    act(
        ctx, "/subjects/look-up", action="look a subject up", yes=yes, reason=reason, as_json=as_json, body=_of(subject)
    )


@app.command()
def requests(
    ctx: typer.Context,
    *,
    state: Annotated[str | None, typer.Option("--state", help="open, running, done or refused.")] = None,
    as_json: Json = False,
) -> None:
    """List requests, the most urgent first."""
    emit(control(ctx).get("/subjects/requests", state=state)["requests"], as_json=as_json, columns=COLUMNS)


@app.command()
def show(ctx: typer.Context, *, request_id: RequestId, as_json: Json = False) -> None:
    """Show a request, how far it has come, and the change that carries it out."""
    emit(control(ctx).get(f"/subjects/requests/{request_id}"), as_json=as_json)


def _asks(kind: str, what: str) -> Any:
    def ask(
        ctx: typer.Context, *, subject: Subject, yes: Yes = False, reason: Reason = None, as_json: Json = False
    ) -> None:
        body = {**_of(subject), "kind": kind}
        act(ctx, "/subjects/requests", action=what, yes=yes, reason=reason, as_json=as_json, body=body)
        say("two other people approve the change (fairlead change approve), then it is applied after 15 minutes")

    return ask


app.command("erase", help="Ask for a person's erasure: two others approve, 15 minutes pass, then it is applied.")(
    _asks("erasure", "ask for a subject's erasure")
)
app.command("access", help="Ask for a copy of all that is kept of a person and what was inferred; approved likewise.")(
    _asks("access", "ask for all that is kept of a subject")
)
app.command("portability", help="Ask for what a person gave and did, to be taken elsewhere; approved likewise.")(
    _asks("portability", "ask for a subject's portable data")
)


@app.command("object")
def object_to(
    ctx: typer.Context,
    *,
    subject: Subject,
    purpose: Annotated[list[Purpose] | None, typer.Option("--purpose", help="As often as needed.")] = None,
    yes: Yes = False,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Use a person's data for some purposes no more: direct marketing and e-mail, where none is named."""
    body = {**_of(subject), "purposes": [one.value for one in purpose or ()]}
    act(ctx, "/subjects/objection", action="record an objection", yes=yes, reason=reason, as_json=as_json, body=body)


@app.command()
def restrict(
    ctx: typer.Context, *, subject: Subject, yes: Yes = False, reason: Reason = None, as_json: Json = False
) -> None:
    """Keep everything of a person and use nothing."""
    act(ctx, "/subjects/restriction", action="restrict", yes=yes, reason=reason, as_json=as_json, body=_of(subject))


@app.command()
def lift(
    ctx: typer.Context, *, subject: Subject, yes: Yes = False, reason: Reason = None, as_json: Json = False
) -> None:
    """End a restriction, after the person was told."""
    path, action = "/subjects/restriction/lift", "end a restriction"
    act(ctx, path, action=action, yes=yes, reason=reason, as_json=as_json, body=_of(subject))


@app.command()
def rectify(
    ctx: typer.Context,
    *,
    subject: Subject,
    attribute: Annotated[list[str] | None, typer.Option("--attribute", help="NAME=JSON; null takes it back.")] = None,
    interest: Annotated[list[str] | None, typer.Option("--interest", help="NAME=VALUE with NAME colour=red.")] = None,
    yes: Yes = False,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Correct what is stated of a person."""
    body = {
        **_of(subject),
        "attributes": dict(_pair(text) for text in attribute or ()),
        "interests": dict(_pair(text) for text in interest or ()),
    }
    act(ctx, "/subjects/rectification", action="correct", yes=yes, reason=reason, as_json=as_json, body=body)


@app.command()
def extend(
    ctx: typer.Context, *, request_id: RequestId, yes: Yes = False, reason: Reason = None, as_json: Json = False
) -> None:
    """Take two months longer, once, within the first; the person must be told the reason."""
    path = f"/subjects/requests/{request_id}/extend"
    act(ctx, path, action="extend a deadline", yes=yes, reason=reason, as_json=as_json)


@app.command()
def refuse(
    ctx: typer.Context, *, request_id: RequestId, yes: Yes = False, reason: Reason = None, as_json: Json = False
) -> None:
    """Turn a request down with the reason that the person is told."""
    act(ctx, f"/subjects/requests/{request_id}/refuse", action="refuse", yes=yes, reason=reason, as_json=as_json)


@app.command()
def answer(
    ctx: typer.Context, *, request_id: RequestId, yes: Yes = False, reason: Reason = None, as_json: Json = False
) -> None:
    """Answer who asked that a person looks at a decision; the reason is what they read."""
    act(ctx, f"/subjects/requests/{request_id}/answer", action="answer", yes=yes, reason=reason, as_json=as_json)


@app.command()
def link(
    ctx: typer.Context, *, subject: Subject, yes: Yes = False, reason: Reason = None, as_json: Json = False
) -> None:
    """Make a link to a person's own page: it opens once, within 15 minutes; hand it to nobody but them."""
    why = agreed(yes=yes, reason=reason, action="make a link to a person's own page")
    told = control(ctx).post("/own/links", {"subject": subject, "reason": why})
    url = settings(ctx).control + told["path"]
    emit({"url": url, "expires_at": told["expires_at"]} if as_json else url, as_json=as_json)


@app.command()
def receipt(ctx: typer.Context, *, request_id: RequestId, as_json: Json = False) -> None:
    """Print a request's signed receipt and the public key that it is checked with."""
    emit(control(ctx).get(f"/subjects/requests/{request_id}/receipt"), as_json=as_json)


@app.command()
def download(
    ctx: typer.Context,
    *,
    request_id: RequestId,
    to: Annotated[Path, typer.Option("--to", help="The ZIP file to write.")],
) -> None:
    """Save what was exported of a person."""
    content = control(ctx).download(f"/subjects/requests/{request_id}/export")
    to.touch(mode=0o600)
    to.write_bytes(content)
    say(f"{to} holds {len(content)} bytes; it is personal data")


@app.command()
def probe(ctx: typer.Context, *, subject: Subject, as_json: Json = False) -> None:
    """Search this machine's stores and files for an id as your application sends it; exit 1 where it is found."""
    from dataclasses import asdict

    from fairlead.wiring import open_existing
    from storage.pseudonyms import Salts, lookup
    from storage.residue import search

    store = open_existing(settings(ctx))
    pseudonym = Salts(store.database, store.keys.lookup).find(subject)
    needles = [subject, lookup(subject, store.keys.lookup), *([pseudonym] if pseudonym else [])]
    found = search(store.database, store.lake, store.home, needles)
    emit({"known": pseudonym is not None, **asdict(found), "found": dict(found.found)}, as_json=as_json)
    if found.found:
        raise typer.Exit(1)


def _of(subject: str) -> dict[str, Any]:
    return {"subject": subject}


def _pair(text: str) -> tuple[str, Any]:
    name, equals, value = text.rpartition("=")
    if not equals or not name:
        raise Invalid("a correction is NAME=VALUE, as size=M, colour=red=0.5 or size=null")
    try:
        return name, orjson.loads(value)
    except orjson.JSONDecodeError:
        return name, value
