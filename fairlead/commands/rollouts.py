"""Gated rollouts: announced, begun, watched, paused, let go, taken back."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer

from fairlead.commands.options import Json, Limit, Reason, Yes, act, condition, control, document, noun
from fairlead.console import agreed, emit

app = noun(
    "rollout", "Rollouts that go by themselves: preview, start, submit, list, show, looks, replay, pause, rollback."
)
Key = Annotated[str, typer.Argument(metavar="POLICY", help="The policy's key.")]
Version = Annotated[int, typer.Argument(help="The version that goes out.")]
Rollout = Annotated[str, typer.Argument(metavar="ROLLOUT", help="Its id, or its policy's key for the newest.")]
Steps = Annotated[str | None, typer.Option("--steps", help="Stops of the ladder, such as 1,5,10,25,50,100.")]
Dwell = Annotated[int | None, typer.Option("--dwell", min=0, help="The least seconds at a step.")]
Outcome = Annotated[str | None, typer.Option("--outcome", help="The event that a decision is for; click by default.")]
Tolerance = Annotated[
    float | None, typer.Option("--tolerance", help="The harm to everyone that may stay unseen, such as 0.05.")
]
Waive = Annotated[list[str] | None, typer.Option("--waive", help="A gate that is not waited for; may be repeated.")]
Groups = Annotated[str | None, typer.Option("--groups", help="Attributes of the context by which nobody is harmed.")]
Segment = Annotated[str | None, typer.Option("--segment", help="A condition (JSON) over the context: who may get it.")]
AskLast = Annotated[bool, typer.Option("--ask-last", help="Ask somebody before everyone gets it.")]
Source = Annotated[str | None, typer.Option("--plan", help="A JSON file with more of the plan, or - for stdin.")]


def plan(version: int, source: str | None, **given: Any) -> dict[str, Any]:
    """Return a plan's document: what the file says, and what the options say instead.

    >>> plan(2, None, steps="5,100", dwell=None, groups="sex,age", ask_last=True, waive=["drift"])
    {'version': 2, 'steps': [5.0, 100.0], 'groups': ['sex', 'age'], 'last_step': 'ask', 'waived': ['drift']}
    """
    made: dict[str, Any] = {**(document(source) if source else {}), "version": version}
    known: dict[str, tuple[str, Callable[[Any], Any]]] = {
        "steps": ("steps", lambda text: [float(step) for step in text.split(",")]),
        "dwell": ("dwell_s", int),
        "outcome": ("outcome", str),
        "tolerance": ("tolerance", float),
        "groups": ("groups", lambda text: text.split(",")),
        "segment": ("segment", condition),
        "ask_last": ("last_step", lambda _: "ask"),
        "waive": ("waived", list),
    }
    for name, value in given.items():
        if value:
            field, read = known[name]
            made[field] = read(value)
    return made


def _found(ctx: typer.Context, rollout: str) -> str:
    """Return the id of a rollout that is named by its policy, or by its id."""
    rows = control(ctx).get("/rollouts", policy=rollout, limit=1)["rollouts"]
    return str(rows[0]["rollout_id"]) if rows else rollout


@app.command("list")
def listed(
    ctx: typer.Context,
    *,
    policy: Annotated[str | None, typer.Option("--policy", help="Only those of this policy.")] = None,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """List gated rollouts, the newest first."""
    rows = control(ctx).get("/rollouts", policy=policy, limit=limit)["rollouts"]
    table = [{**row, "version": row["plan"]["version"]} for row in rows]
    columns = ("rollout_id", "policy", "version", "state", "percent", "ahead", "note")
    emit(rows if as_json else table, as_json=as_json, columns=columns)


@app.command()
def show(ctx: typer.Context, *, rollout: Rollout, as_json: Json = False) -> None:
    """Show one rollout and what its gates say now."""
    view = control(ctx).get(f"/rollouts/{_found(ctx, rollout)}")
    if as_json:
        emit(view, as_json=True)
        return
    emit({name: view[name] for name in ("policy", "state", "percent", "ahead", "note", "announced")}, as_json=False)
    latest: Mapping[str, Any] = view["latest"] or {"findings": []}
    emit(latest["findings"], as_json=False, columns=("gate", "verdict", "waived", "sentence", "missing"))


@app.command()
def looks(ctx: typer.Context, *, rollout: Rollout, limit: Limit = 20, as_json: Json = False) -> None:
    """List what was said at each look that was kept."""
    rows = control(ctx).get(f"/rollouts/{_found(ctx, rollout)}/looks", limit=limit)["looks"]
    emit(rows, as_json=as_json, columns=("seq", "at", "percent", "step", "reason"))


@app.command()
def replay(
    ctx: typer.Context,
    *,
    rollout: Rollout,
    look: Annotated[int, typer.Argument(help="The number of a look.")],
    as_json: Json = False,
) -> None:
    """Judge a kept look once more, from its inputs; exit 1 where something else comes out."""
    found = control(ctx).get(f"/rollouts/{_found(ctx, rollout)}/looks/{look}/replay")
    emit(found, as_json=as_json)
    if found["verdict"] != "exact":
        raise typer.Exit(1)


@app.command()
def preview(
    ctx: typer.Context,
    *,
    key: Key,
    version: Version,
    steps: Steps = None,
    dwell: Dwell = None,
    outcome: Outcome = None,
    tolerance: Tolerance = None,
    groups: Groups = None,
    segment: Segment = None,
    waive: Waive = None,
    source: Source = None,
    as_json: Json = False,
) -> None:
    """Say how many decisions a rollout would take, step by step; begins nothing."""
    made = plan(
        version,
        source,
        steps=steps,
        dwell=dwell,
        outcome=outcome,
        tolerance=tolerance,
        groups=groups,
        segment=segment,
        waive=waive,
    )
    emit(control(ctx).post("/rollouts/preview", {"policy": key, "plan": made}), as_json=as_json)


def _announced(name: str, what: str, take: Callable[..., None]) -> None:
    def announce(
        ctx: typer.Context,
        *,
        key: Key,
        version: Version,
        steps: Steps = None,
        dwell: Dwell = None,
        outcome: Outcome = None,
        tolerance: Tolerance = None,
        groups: Groups = None,
        segment: Segment = None,
        waive: Waive = None,
        ask_last: AskLast = False,
        source: Source = None,
        yes: Yes = False,
        reason: Reason = None,
        as_json: Json = False,
    ) -> None:
        given: dict[str, Any] = {
            "steps": steps,
            "dwell": dwell,
            "outcome": outcome,
            "tolerance": tolerance,
            "groups": groups,
        }
        given |= {"segment": segment, "waive": waive, "ask_last": ask_last}
        take(ctx, key, plan(version, source, **given), yes=yes, reason=reason, as_json=as_json)

    app.command(name, help=what)(announce)


def _submit(
    ctx: typer.Context, key: str, made: dict[str, Any], *, yes: bool, reason: str | None, as_json: bool
) -> None:
    why = agreed(yes=yes, reason=reason, action=f"submit a gated rollout of version {made['version']} of {key}")
    client = control(ctx)
    change = client.post("/changes", {"kind": "rollout.start", "key": key, "payload": made, "reason": why})
    emit(client.post(f"/changes/{change['change_id']}/submit", {"reason": why}), as_json=as_json)


def _start(ctx: typer.Context, key: str, made: dict[str, Any], *, yes: bool, reason: str | None, as_json: bool) -> None:
    action = f"begin a gated rollout of version {made['version']} of {key}"
    body = {"policy": key, "plan": made}
    act(ctx, "/rollouts", action=action, yes=yes, reason=reason, as_json=as_json, body=body, confirm=key)


_announced(
    "submit", "Propose a rollout and ask for review; one approval covers the whole plan. Then: change apply.", _submit
)
_announced(
    "start", "Begin a gated rollout at once; exit 7 where a second person must agree first (then: submit).", _start
)


def _verb(name: str, path: str, what: str) -> None:
    def verb(
        ctx: typer.Context, *, rollout: Rollout, yes: Yes = False, reason: Reason = None, as_json: Json = False
    ) -> None:
        found = _found(ctx, rollout)
        act(
            ctx,
            f"/rollouts/{found}/{path}",
            action=f"{name} rollout {found}",
            yes=yes,
            reason=reason,
            as_json=as_json,
        )

    app.command(name, help=what)(verb)


_verb("pause", "pause", "Hold it where it is; shown harm still takes it back.")
_verb("resume", "resume", "Let it go on.")
_verb("let-go", "let-go", "Let the last step go, where the plan asks; never its author.")
_verb("rollback", "roll-back", "Take it back: everyone gets the stable version, at once.")
