"""Insights: experiments, creators and who comes back; figures of an industry beside the installation's own."""

import sys
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from fairlead.commands.options import Json, Reason, Yes, act, control, noun
from fairlead.console import agreed, emit, say
from storage.errors import Invalid, NotFound

app = noun("insight", "Insights: experiments, reveal, sample-size, creators, creator, retention.")
figures = noun("benchmark", "Figures of an industry, brought along: list, put.")


@app.command()
def experiments(ctx: typer.Context, *, as_json: Json = False) -> None:
    """List experiments, health first; results that are hidden stay hidden."""
    found = control(ctx).get("/experiments")
    rows = [
        {
            "experiment": one["title"],
            "rows": one["origin"],
            "days": one["health"]["days"],
            "people": f"{one['health']['people']:,}",
            "shares": one["health"]["sentence"],
            "shown": one["sentence"],
        }
        for one in found["experiments"]
    ]
    emit(found if as_json else rows, as_json=as_json)


@app.command()
def reveal(
    ctx: typer.Context,
    *,
    key: Annotated[str, typer.Argument(help="The experiment's key, such as holdout/men.")],
    rows: Annotated[str, typer.Option("--rows", help="real, imported or simulated.")] = "real",
    yes: Yes = False,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Show an experiment's results before their time; the look is entered in the ledger."""
    why = agreed(yes=yes, reason=reason, action=f"look at {key} before its time")
    one = control(ctx).post("/experiments/reveal", {"key": key, "origin": rows, "reason": why})
    if as_json:
        emit(one, as_json=True)
        return
    emit(one["arms"], as_json=False, columns=("arm", "people", "impressions", "clicks", "rate", "low", "high"))
    for each in one["comparisons"]:
        lift = each["lift"]
        say(f"{each['metric']} of {each['arm']}: {lift['value']:+.5f} ({lift['low']:+.5f} to {lift['high']:+.5f})")


@app.command("sample-size")
def size(
    ctx: typer.Context,
    *,
    rate: Annotated[float, typer.Option("--rate", help="The rate now, such as 0.02.")],
    change: Annotated[float, typer.Option("--change", help="The relative change to be found.")] = 0.2,
    power: Annotated[float, typer.Option("--power", help="How often it shall be found.")] = 0.8,
    as_json: Json = False,
) -> None:
    """Tell how many impressions each of two arms needs."""
    emit(control(ctx).get("/experiments/sample-size", rate=rate, change=change, power=power), as_json=as_json)


@app.command()
def creators(ctx: typer.Context, *, as_json: Json = False) -> None:
    """List creators with how their items do beside everyone else's."""
    found = control(ctx).get("/analytics/creators")
    columns = ("creator", "rows", "items", "people", "impressions", "clicks", "rate", "sentence")
    emit(found if as_json else found["creators"], as_json=as_json, columns=columns)


@app.command()
def creator(
    ctx: typer.Context,
    *,
    name: Annotated[str | None, typer.Argument(help="The creator; with a creator's own token, leave it out.")] = None,
    as_json: Json = False,
) -> None:
    """Tell of one creator: what each part of the audience prefers."""
    found = control(ctx).get(f"/analytics/creators/{quote(name, safe='') if name is not None else 'own'}")
    if as_json:
        emit(found, as_json=True)
        return
    for one in found["rows"]:
        say(f"{one['rows']}: {one['sentence']}")
        columns = ("kind", "value", "people", "impressions", "clicks", "rate", "low", "high")
        emit([_shown(each) for each in one["prefers"]], as_json=False, columns=columns)


def _shown(one: dict[str, Any]) -> dict[str, Any]:
    return {**one, "people": "< 50"} if one["masked"] else one


@app.command()
def retention(ctx: typer.Context, *, as_json: Json = False) -> None:
    """Tell how many came back, by the week in which they were first seen."""
    found = control(ctx).get("/analytics/retention")
    columns = ("rows", "cohort", "weeks", "people", "back", "rate", "low", "high")
    emit(found if as_json else found["cohorts"], as_json=as_json, columns=columns)


@figures.command("list")
def listed(ctx: typer.Context, *, as_json: Json = False) -> None:
    """List the figures with their sources."""
    found = control(ctx).get("/benchmarks")
    columns = ("metric", "industry", "value", "source", "date", "author")
    emit(found if as_json else found["benchmarks"], as_json=as_json, columns=columns)


@figures.command()
def put(
    ctx: typer.Context,
    *,
    source: Annotated[
        str, typer.Argument(help="A CSV file with the columns metric, industry, value, source, date; - for stdin.")
    ],
    yes: Yes = False,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Replace all figures by those of a table; one wrong line refuses the whole."""
    act(
        ctx,
        "/benchmarks",
        action=f"replace all figures of industries by those of {source}",
        yes=yes,
        reason=reason,
        as_json=as_json,
        body={"csv": _text(source)},
    )


def _text(source: str) -> str:
    if source == "-":
        if sys.stdin.isatty():
            raise Invalid("'-' reads a table from standard input; pipe one in, or name a file")
        data = sys.stdin.buffer.read()
    else:
        try:
            data = Path(source).read_bytes()
        except OSError as error:
            raise NotFound(f"{source} cannot be read ({error.strerror}); name a CSV file, or - for stdin") from None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise Invalid(f"{source} is no UTF-8 text; save the table as CSV in UTF-8") from None
