"""Consent: what one person said, files and wordings, the platforms that tell of it, the probe, receipts checked."""

from pathlib import Path
from typing import Annotated, Any

import typer

from fairlead.commands.jobs import ended
from fairlead.commands.options import Json, Reason, Yes, act, control, document, noun
from fairlead.console import agreed, emit, say
from storage.errors import Invalid, NotFound
from storage.records.consent import Purpose

app = noun("consent", "Consent by purpose: one person's, files, wordings, platforms, the probe, receipts.")
Subject = Annotated[str, typer.Argument(help="The subject's id, as your application sends it.")]
For = Annotated[Purpose, typer.Option("--purpose", help="The purpose.")]
Wording = Annotated[str, typer.Option("--text-version", help="The wording that they were asked with.")]
Region = Annotated[str, typer.Option("--region", help="Where they are; it decides where they said nothing.")]
PART = 700_000
"""So many characters of a file go to control at once."""


def _say(ctx: typer.Context, verb: str, subject: str, purpose: Purpose, text_version: str, **options: Any) -> None:
    body = {"subject": subject, "purpose": purpose, "source": "cli"}
    if text_version:
        body["text_version"] = text_version
    act(ctx, f"/consents/{verb}", action=f"{verb} a subject for {purpose}", body=body, **options)


@app.command("opt-out")
def opt_out(
    ctx: typer.Context,
    *,
    subject: Subject,
    purpose: For = Purpose.PERSONALIZATION,
    text_version: Wording = "",
    yes: Yes = False,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Withdraw consent; answers once every replica decides with it, or after 2.5 s, with the signed receipt."""
    _say(ctx, "opt-out", subject, purpose, text_version, yes=yes, reason=reason, as_json=as_json)


@app.command("opt-in")
def opt_in(
    ctx: typer.Context,
    *,
    subject: Subject,
    purpose: For = Purpose.PERSONALIZATION,
    text_version: Wording = "",
    yes: Yes = False,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Record consent."""
    _say(ctx, "opt-in", subject, purpose, text_version, yes=yes, reason=reason, as_json=as_json)


@app.command()
def history(
    ctx: typer.Context, *, subject: Subject, yes: Yes = False, reason: Reason = None, as_json: Json = False
) -> None:
    """Show what a subject said and when; the look-up itself is kept in the ledger."""
    why = agreed(yes=yes, reason=reason, action="look a subject up")
    rows = control(ctx).post("/consents/history", {"subject": subject, "reason": why})["changes"]
    columns = ("epoch", "at", "said_at", "purpose", "state", "source", "text_version", "actor", "reason")
    emit(rows, as_json=as_json, columns=columns)


@app.command()
def show(
    ctx: typer.Context,
    *,
    subject: Subject,
    region: Region = "",
    yes: Yes = False,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Show what holds for a subject, purpose by purpose; the look-up itself is kept in the ledger."""
    why = agreed(yes=yes, reason=reason, action="look a subject up")
    body = {"subject": subject, "region": region, "reason": why}
    rows = control(ctx).post("/consents/state", body)["purposes"]
    emit(rows, as_json=as_json, columns=("purpose", "state", "by", "since", "source", "text_version"))


@app.command()
def check(
    ctx: typer.Context,
    *,
    file: Annotated[Path, typer.Argument(help="A text file with one subject per line; the allowed ones come back.")],
    purpose: For = Purpose.EMAIL,
    region: Region = "",
    yes: Yes = False,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Keep of a list those who may be addressed for a purpose: what whoever sends mail asks first."""
    why = agreed(yes=yes, reason=reason, action=f"see who may be addressed for {purpose}")
    subjects = [line for line in _text(file).splitlines() if line]
    client, allowed = control(ctx), []
    for start in range(0, len(subjects), 1_000):
        body = {"subjects": subjects[start : start + 1_000], "purpose": purpose, "region": region, "reason": why}
        allowed += client.post("/consents/check", body)["allowed"]
    say(f"{len(allowed):,} of {len(subjects):,} may be addressed for {purpose}")
    if as_json:
        emit({"allowed": allowed, "asked": len(subjects)}, as_json=True)
    else:
        for one in allowed:
            typer.echo(one)


@app.command()
def summary(ctx: typer.Context, *, as_json: Json = False) -> None:
    """Count what was said, by purpose."""
    emit(control(ctx).get("/consents/summary"), as_json=as_json)


@app.command("import")
def take_file(
    ctx: typer.Context,
    *,
    file: Annotated[Path, typer.Argument(help="CSV: subject, purpose, state; said_at and text_version if known.")],
    source: Annotated[str, typer.Option("--source", help="What the consent record calls this source.")] = "import",
    yes: Yes = False,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Take a file of statements, in parts; taking it again changes nothing."""
    why = agreed(yes=yes, reason=reason, action=f"take the consent of {file.name}")
    client = control(ctx)
    reports = []
    for part in parts(_text(file)):
        job = client.post("/consents/import", {"csv": part, "source": source, "reason": why})
        reports.append(ended(client, job)["result"])
    names = ("rows", "granted", "denied", "unchanged", "outdated", "refused")
    told: dict[str, Any] = {name: sum(report[name] for report in reports) for name in names}
    refusals = [one for report in reports for one in report["refusals"]]
    if as_json:
        emit(told | {"refusals": refusals, "acknowledged": reports[-1]["acknowledged"]}, as_json=True)
        return
    emit(told, as_json=False)
    if refusals:
        say("refused, by the line of the part:")
        emit(refusals, as_json=False, columns=("row", "field", "reason"))


def parts(text: str) -> list[str]:
    r"""Cut a CSV file between lines into parts that control takes, each with the header.

    >>> parts("a,b\n1,2\n")
    ['a,b\n1,2\n']
    """
    header, *rows = text.splitlines(keepends=True) or [""]
    made, size = [[header]], len(header)
    for row in rows:
        if size + len(row) > PART:
            made.append([header])
            size = len(header)
        made[-1].append(row)
        size += len(row)
    return ["".join(part) for part in made]


@app.command()
def receipts(
    ctx: typer.Context, *, subject: Subject, yes: Yes = False, reason: Reason = None, as_json: Json = False
) -> None:
    """Print the signed receipts of all that a subject said; the look-up itself is kept in the ledger."""
    why = agreed(yes=yes, reason=reason, action="look a subject up")
    rows = control(ctx).post("/consents/receipts", {"subject": subject, "reason": why})["receipts"]
    emit(rows, as_json=as_json, columns=("said_at", "purpose", "state", "source", "text_version", "consent_epoch"))


@app.command()
def verify(
    ctx: typer.Context,
    *,
    file: Annotated[str, typer.Argument(help="A receipt as JSON, or - for stdin.")],
    key: Annotated[Path | None, typer.Option("--key", help="The public key; control's own is asked otherwise.")] = None,
    as_json: Json = False,
) -> None:
    """Check a receipt's signature with the public key alone; exit 6 where it does not hold."""
    from storage.signed import verified

    receipt = document(file)
    receipt = receipt.get("receipt", receipt)
    pem = _text(key) if key else control(ctx).get("/consents/key")["public_pem"]
    try:
        good = verified(receipt, pem.encode())
    except ValueError:
        raise Invalid("--key is a file with a public key in PEM, as `fairlead consent key` prints it") from None
    emit({"ok": good, "key": receipt.get("key")}, as_json=as_json)
    if not good:
        raise typer.Exit(6)


@app.command()
def key(ctx: typer.Context) -> None:
    """Print the public key that checks receipts, as PEM."""
    typer.echo(control(ctx).get("/consents/key")["public_pem"], nl=False)


@app.command()
def probe(ctx: typer.Context, *, as_json: Json = False) -> None:
    """Show what the probe, which has opted out, was answered; exit 6 if it was ever personalized."""
    found = control(ctx).get("/consents/probe")
    if as_json:
        emit(found, as_json=True)
    else:
        emit({"since": found["since"], **found["results"], "violations ever": found["totals"]}, as_json=False)
        emit(found["withdrawals"][:10], as_json=False, columns=("at", "replica", "result", "enforced_us", "epoch"))
    if sum(found["totals"].values()):
        raise typer.Exit(6)


texts = noun("text", "Wordings: list, publish.")
platforms = noun("platform", "Consent platforms: list, declare, remove, send.")
app.add_typer(texts)
app.add_typer(platforms)


@texts.command("list")
def list_texts(ctx: typer.Context, *, as_json: Json = False) -> None:
    """List the published wordings."""
    rows = control(ctx).get("/consents/texts")["texts"]
    emit(rows, as_json=as_json, columns=("purpose", "version", "language", "at", "author", "granted", "digest"))


@texts.command()
def publish(
    ctx: typer.Context,
    *,
    purpose: Annotated[Purpose, typer.Argument(help="The purpose.")],
    version: Annotated[str, typer.Argument(help="The version, such as 2026-11.")],
    file: Annotated[Path, typer.Argument(help="A text file with the wording.")],
    language: Annotated[str, typer.Option("--language", help="As a language tag: en, de-CH.")] = "en",
    yes: Yes = False,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Publish a wording under a version; it never changes."""
    body = {"purpose": purpose, "version": version, "language": language, "body": _text(file)}
    action = f"publish the wording {version}"
    act(ctx, "/consents/texts", action=action, yes=yes, reason=reason, as_json=as_json, body=body)


@platforms.command("list")
def list_platforms(ctx: typer.Context, *, as_json: Json = False) -> None:
    """List the declared platforms."""
    found = control(ctx).get("/consents/platforms")["platforms"]
    emit(found if as_json else [{"name": name, **one} for name, one in found.items()], as_json=as_json)


@platforms.command()
def declare(
    ctx: typer.Context,
    *,
    name: Annotated[str, typer.Argument(help="The platform's name.")],
    source: Annotated[str, typer.Argument(help="A JSON file with the mapping, or - for stdin.")],
    yes: Yes = False,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Declare a platform's messages, or replace the mapping of this name."""
    why = agreed(yes=yes, reason=reason, action=f"declare the consent platform {name}")
    body = {"platform": document(source), "reason": why, "confirm": name}
    emit(control(ctx).put(f"/consents/platforms/{name}", body, etag=""), as_json=as_json)


@platforms.command()
def remove(
    ctx: typer.Context,
    *,
    name: Annotated[str, typer.Argument(help="The platform's name.")],
    yes: Yes = False,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Remove a platform; what it told stays."""
    path, action = f"/consents/platforms/{name}", f"remove the consent platform {name}"
    act(ctx, path, action=action, yes=yes, reason=reason, as_json=as_json, method="delete")


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise NotFound(f"{path} cannot be read as UTF-8 text") from None
