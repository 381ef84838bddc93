"""Consent: opt-out, opt-in, a subject's history, and the summary."""

from typing import Annotated

import typer

from fairlead.commands.options import Json, Reason, Yes, act, control, noun
from fairlead.console import agreed, emit
from storage.records.consent import Purpose

app = noun("consent", "Consent by purpose: opt-out, opt-in, history, summary.")
Subject = Annotated[str, typer.Argument(help="The subject's id, as your application sends it.")]
For = Annotated[Purpose, typer.Option("--purpose", help="The purpose.")]


@app.command("opt-out")
def opt_out(
    ctx: typer.Context,
    *,
    subject: Subject,
    purpose: For = Purpose.PERSONALIZATION,
    yes: Yes = False,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Withdraw consent; answers once every replica decides with it, or after 2.5 s."""
    body = {"subject": subject, "purpose": purpose, "source": "cli"}
    action = f"opt a subject out of {purpose}"
    act(ctx, "/consents/opt-out", action=action, yes=yes, reason=reason, as_json=as_json, body=body)


@app.command("opt-in")
def opt_in(
    ctx: typer.Context,
    *,
    subject: Subject,
    purpose: For = Purpose.PERSONALIZATION,
    yes: Yes = False,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Record consent."""
    body = {"subject": subject, "purpose": purpose, "source": "cli"}
    action = f"opt a subject in to {purpose}"
    act(ctx, "/consents/opt-in", action=action, yes=yes, reason=reason, as_json=as_json, body=body)


@app.command()
def history(
    ctx: typer.Context, *, subject: Subject, yes: Yes = False, reason: Reason = None, as_json: Json = False
) -> None:
    """Show what a subject said and when; the look-up itself is kept in the ledger."""
    why = agreed(yes=yes, reason=reason, action="look a subject up")
    rows = control(ctx).post("/consents/history", {"subject": subject, "reason": why})["changes"]
    emit(rows, as_json=as_json, columns=("epoch", "at", "purpose", "state", "source", "actor", "reason"))


@app.command()
def summary(ctx: typer.Context, *, as_json: Json = False) -> None:
    """Count what was said, by purpose."""
    emit(control(ctx).get("/consents/summary"), as_json=as_json)
