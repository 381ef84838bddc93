"""Rules: list, check, write, turn on and off, put back; what gets in whose way, and what each does."""

from typing import Annotated, Any

import typer

from fairlead.commands.edited import add_edits
from fairlead.commands.options import Json, control, document, noun
from fairlead.console import emit, say
from storage.records.clock import iso

app = noun("rule", "Rules: list, check, create, edit, enable, disable, rollback, delete, conflicts, performance.")
Key = Annotated[str, typer.Argument(help="The rule's key.")]
_COLUMNS = ("key", "action", "enabled", "priority", "when", "items", "surfaces", "version")
Source = Annotated[str, typer.Argument(help="A JSON file with the rule, or - for stdin.")]


@app.command("list")
def listed(
    ctx: typer.Context,
    *,
    surface: Annotated[str | None, typer.Option("--surface", help="Those that may apply on this surface.")] = None,
    campaign: Annotated[str | None, typer.Option("--campaign", help="Those that may apply in this campaign.")] = None,
    action: Annotated[str | None, typer.Option("--action", help="pin, boost, exclude or set.")] = None,
    as_json: Json = False,
) -> None:
    """List the installation's rules."""
    found = control(ctx).get("/rules", surface=surface, campaign=campaign, action=action)["rules"]
    rows = found if as_json else [view["rule"] for view in found]
    emit(
        rows, as_json=as_json, columns=("key", "action", "enabled", "priority", "when", "items", "surfaces", "version")
    )


@app.command()
def show(ctx: typer.Context, *, key: Key, as_json: Json = False) -> None:
    """Show one rule."""
    view = control(ctx).get(f"/rules/{key}")
    emit(view if as_json else view["rule"], as_json=as_json)


@app.command()
def check(ctx: typer.Context, *, source: Source, as_json: Json = False) -> None:
    """Check a rule without writing it: what to mend, which rules it meets, who must agree. Exit 2 where it is wrong."""
    found = control(ctx).post("/rules/validate", {"rule": document(source)})
    if as_json:
        emit(found, as_json=True)
    elif found["problems"]:
        emit(found["problems"], as_json=False, columns=("field", "message"))
    else:
        for one in found["conflicts"]:
            say(one["sentence"])
        say("a second person must agree: it touches whoever comes" if found["level"] == "D2" else "it may be written")
    if found["problems"]:
        raise typer.Exit(2)


add_edits(
    app,
    "rule",
    {
        "create": "Create a rule; it serves at once unless it says that it is not enabled.",
        "edit": "Replace a rule as it stands now; one that touches whoever comes wants a second person.",
        "enable": "Let a rule serve.",
        "disable": "Stop a rule: one step, at once.",
        "rollback": "Put back what the last edit replaced: one step, at once.",
        "delete": "Delete a rule that is off.",
    },
    confirms=True,
)


@app.command()
def conflicts(ctx: typer.Context, *, as_json: Json = False) -> None:
    """Tell which rules in service get in each other's way, and which goes first."""
    found = control(ctx).get("/rules/conflicts")["conflicts"]
    emit(found, as_json=as_json, columns=("kind", "rules", "sentence"))


@app.command()
def performance(ctx: typer.Context, *, as_json: Json = False) -> None:
    """Tell what each rule did, by arm, with 95 % intervals, as last judged."""
    found = control(ctx).get("/rules/performance")
    if as_json:
        emit(found, as_json=True)
        return
    _dated(found)
    effects = found["effects"] or ()
    emit([_row(effect, arm) for effect in effects for arm in effect["arms"]], as_json=False)
    for effect in effects:
        marked = "; its outcomes are simulated" if effect["simulated"] else ""
        say(f"{effect['rule']}: differences are against {effect['reference']}{marked}")


def _row(effect: dict[str, Any], arm: dict[str, Any]) -> dict[str, Any]:
    versus = arm["versus"]
    return {
        "rule": effect["rule"],
        "arm": arm["arm"],
        "impressions": arm["impressions"],
        "click_rate_%": _range(arm["rate"], arm["low"], arm["high"]),
        "conversion_rate_%": _range(arm["conversion_rate"], arm["conversion_low"], arm["conversion_high"]),
        "difference_%": "" if versus is None else _range(versus["value"], versus["low"], versus["high"]),
    }


def _range(value: float | None, low: float, high: float) -> str:
    """Return a rate with its interval, in percent.

    >>> _range(0.02, 0.01, 0.04), _range(None, 0.0, 1.0)
    ('2.00 (1.00 to 4.00)', 'unknown')
    """
    return "unknown" if value is None else f"{100 * value:.2f} ({100 * low:.2f} to {100 * high:.2f})"


@app.command()
def advice(ctx: typer.Context, *, as_json: Json = False) -> None:
    """Tell what to do about rules, each piece with its evidence, as last judged."""
    found = control(ctx).get("/rules/advice")
    if as_json:
        emit(found, as_json=True)
        return
    _dated(found)
    emit(found["advice"] or [], as_json=False, columns=("verdict", "rule", "sentence"))


def _dated(found: dict[str, Any]) -> None:
    if found["at"] is None:
        say("not judged yet; `fairlead job run rules` does it, and so does the schedule every hour")
    else:
        say(f"judged at {iso(found['at'])}")
