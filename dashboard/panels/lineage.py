"""Versions of a model, and what each was made from: data, period, seed, parameters, code."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard.commands import command
from dashboard.context import Context
from dashboard.queries.models import stands
from dashboard.text import count, plain, safe, stamp
from dashboard.widgets import note, table
from storage.records.access import Scope
from storage.records.models import ModelVersion, Standing

MOST_FILES = 200


def versions(context: Context, found: Sequence[Standing]) -> None:
    """Draw every version, and of the chosen one where it comes from."""
    table(
        [
            {
                "version": one.model.version,
                "stands": stands(one),
                "made (UTC)": stamp(one.model.created_at, seconds=False),
                "in service since (UTC)": stamp(one.served_at, seconds=False),
                "against the rule": str(one.model.evaluation.get("verdict", "not evaluated")).replace("_", " "),
                "confidence": one.model.calibration.status,
                "trained on": rows_of(one.model.lineage.get("trained")),
            }
            for one in found
        ],
        key="versions-table",
        alt="Every version with how it stands, its evaluation and its confidence",
    )
    by_version = {one.model.version: one for one in found}
    name = found[0].model.name
    version = st.selectbox(
        "Where it comes from",
        list(by_version),
        format_func=lambda each: f"{plain(each)}, {stands(by_version[each])}",
        key=f"version-{name}",
        width=340,
        help="Data, periods, seed, parameters and code of one version: enough to make it again.",
    )
    one = by_version.get(version or "", found[0])
    if not one.in_service:
        command(
            context,
            "Put in service",
            path=f"/models/{name}/promote",
            key=f"promote-{one.model.version}",
            scope=Scope.POLICY_APPLY,
            body={"version": one.model.version},
            icon=":material/publish:",
            confirm=name,
            what=f"Version {safe(one.model.version)} serves instead of the present one on every replica. Where another "
            "is in service a second person has to approve, unless one person runs everything.",
        )
    _told(one.model)


def _told(model: ModelVersion) -> None:
    rows = described(model)
    table(
        [{"what": what, "value": plain(value, 600)} for what, value in rows],
        key=f"lineage-{model.version}",
        alt="Lineage: " + ", ".join(what for what, _ in rows),
    )
    files = model.lineage.get("files")
    if isinstance(files, list | tuple) and files:
        with st.expander(f"{count(len(files))} files of the lake that it was made from"):
            table(
                [dict(one) for one in files[-MOST_FILES:]],
                key=f"files-{model.version}",
                alt="Files of the lake with rows and SHA-256",
            )
            if len(files) > MOST_FILES:
                note(f"The newest {count(MOST_FILES)} are shown; `fairlead models show` prints all.")


def described(model: ModelVersion) -> list[tuple[str, str]]:
    """Return what is known of a version's making, as names and plain text.

    >>> made = ModelVersion(name="m", version="1", created_at=0, path="", digest="", lineage={"seed": 3, "files": [1]})
    >>> described(made)[-2:]
    [('seed', '3'), ('files', '1')]
    """
    told = [("digest", model.digest), ("features", count(len(model.features)))]
    if model.members:
        told.append(("members × trees", f"{model.members} × {model.trees}"))
    for name, value in {**model.parameters, **model.lineage}.items():
        if name in {"trained", "held_out"}:
            told.append((name.replace("_", " "), period(value)))
        elif name == "files":
            told.append((name, count(len(value))))
        elif name != "feedback":
            told.append((name.replace("_", " "), flat(value)))
    return told


def period(value: Any) -> str:
    """Return a period of training in words.

    >>> period({"rows": 42000, "clicks": 194, "from": "2019-11-24T00:00:00Z", "to": "2019-11-28T12:00:00Z"})
    '2019-11-24T00:00:00Z to 2019-11-28T12:00:00Z, rows 42,000, clicks 194'
    """
    if not isinstance(value, Mapping):
        return flat(value)
    ends = f"{value['from']} to {value['to']}" if value.get("from") and value.get("to") else ""
    rest = (f"{name} {flat(one)}" for name, one in value.items() if name not in {"from", "to"})
    return ", ".join(part for part in (ends, *rest) if part)


def rows_of(value: Any) -> str:
    """Return how much a training saw, in a word or two."""
    told = value if isinstance(value, Mapping) else {}
    unit = next((each for each in ("rows", "people", "items") if isinstance(told.get(each), int)), None)
    return f"{count(told[unit])} {unit}" if unit else "–"


def flat(value: Any) -> str:
    """Return a value as one line.

    >>> flat({"a": 1, "b": [1, 2]}), flat(12345), flat(None)
    ('a 1, b [1, 2]', '12,345', '–')
    """
    if value is None:
        return "–"
    if isinstance(value, bool) or not isinstance(value, int | Mapping | list | tuple):
        return str(value)
    if isinstance(value, int):
        return count(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {flat(one)}" for name, one in value.items())
    return f"[{', '.join(flat(one) for one in value)}]" if len(value) <= 12 else f"{count(len(value))} entries"
