"""What a change would have done to logged traffic: ``fairlead whatif``."""

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import orjson
import typer

from fairlead.commands.jobs import POLL_S
from fairlead.commands.options import Json, Reason, control, document
from fairlead.console import emit, say
from storage.errors import FairleadError, Invalid
from storage.records import clock

PolicyKey = Annotated[str | None, typer.Option("--policy", help="The policy's key; with --version.")]
VersionNumber = Annotated[int | None, typer.Option("--version", min=1, help="The version that serves everyone then.")]
Until = Annotated[str | None, typer.Option("--until", help="Until when: an ISO instant; now by default.")]

UNITS: Mapping[str, int] = {"m": clock.MINUTE, "h": clock.HOUR, "d": clock.DAY}
SECTIONS = ("policies", "rules", "caps", "campaigns", "models")


def whatif(
    ctx: typer.Context,
    *,
    policy: PolicyKey = None,
    version: VersionNumber = None,
    change: Annotated[str | None, typer.Option("--change", help="A proposed change, as if it were applied.")] = None,
    edits: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="SECTION.KEY[.FIELD…]=JSON, as often as needed; null removes. Such as caps.daily.limit=2"
        ),
    ] = None,
    file: Annotated[
        str | None, typer.Option("--file", help="A JSON document of edits by section and key; - reads stdin.")
    ] = None,
    campaign: Annotated[str | None, typer.Option("--campaign", help="Of this campaign alone.")] = None,
    start: Annotated[str | None, typer.Option("--since", help="From when: 24h, 7d, or an ISO instant.")] = None,
    end: Until = None,
    limit: Annotated[int, typer.Option("--limit", min=100, help="How many decisions are drawn at most.")] = 20_000,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Decide logged traffic again with a draft: changed decisions, reach, caps hit, fallback share, exposure per group,
    all exact; what it would have earned, estimated."""
    asked = {
        "policy": policy,
        "version": version,
        "change": change,
        "campaign": campaign,
        "limit": limit,
        "edits": edited(edits or [], {} if file is None else document(file)),
        **since_and_until(start, end),
    }
    run = rehearsed(ctx, "whatif", asked, reason=reason)
    if as_json:
        emit(run, as_json=True)
        return
    exact = run["result"]["exact"]
    names = ("fallback_share", "model_share", "capped_share", "empty_share", "filled_per_decision", "people_reached")
    emit([{"what": name, "now": exact["now"][name], "draft": exact["draft"][name]} for name in names], as_json=False)
    say(run["sentence"])
    say(f"estimated: {run['result']['estimated']['sentence']}")
    for what in run["result"]["rehearsed"]["unknown"]:
        say(f"not recorded, so taken as unknown: {what}")


def rehearsed(ctx: typer.Context, kind: str, asked: Mapping[str, Any], *, reason: str | None) -> dict[str, Any]:
    """Ask control for a run, wait until it ended, and return it."""
    client = control(ctx)
    arguments = {name: value for name, value in asked.items() if value not in (None, {}, False)}
    job = client.post(f"/{kind}", {"arguments": arguments, "reason": reason or "requested on the command line"})
    say(f"job {job['job_id']} ({kind}) is {job['state']}")
    while job["state"] in {"queued", "running"}:
        time.sleep(POLL_S)
        job = client.get(f"/jobs/{job['job_id']}")
    if job["state"] == "failed":
        raise FairleadError(f"job {job['job_id']} failed: {job['error']}")
    run: dict[str, Any] = client.get(f"/{kind}/{job['result']['audit_id']}")
    return run


def edited(pairs: list[str], whole: Mapping[str, Any]) -> dict[str, Any]:
    """Read SECTION.KEY.FIELD=JSON pairs into edits by section and key.

    >>> edited(["caps.daily.limit=2", "rules.winter=null"], {})
    {'caps': {'daily': {'limit': 2}}, 'rules': {'winter': None}}
    """
    found: dict[str, Any] = {section: dict(named) for section, named in whole.items()}
    for pair in pairs:
        path, equals, text = pair.partition("=")
        section, *fields = path.split(".")
        if not equals or section not in SECTIONS or not fields:
            raise Invalid(f"--set takes SECTION.KEY.FIELD=JSON, where SECTION is one of {', '.join(SECTIONS)}")
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError:
            value = text
        place = found.setdefault(section, {})
        for name in fields[:-1]:
            place = place.setdefault(name, {})
        place[fields[-1]] = value
    return found


def since_and_until(start: str | None, end: str | None) -> dict[str, int]:
    """Return a range as microseconds UTC; what is not said is not there."""
    last = None if end is None else _instant(end, "--until")
    found = {} if last is None else {"end": last}
    if start is not None:
        span = UNITS.get(start[-1:])
        if span is not None and start[:-1].isdigit():
            found["start"] = (clock.now() if last is None else last) - int(start[:-1]) * span
        else:
            found["start"] = _instant(start, "--since")
    return found


def _instant(text: str, option: str) -> int:
    try:
        return clock.instant(datetime.fromisoformat(text))
    except ValueError:
        raise Invalid(f"{option} takes an instant such as 2026-03-01T08:00:00Z, or a span such as 24h") from None
