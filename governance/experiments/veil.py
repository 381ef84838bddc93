"""What is shown of an experiment while its results are hidden: its health and its exposures, no outcome."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from storage.records.findings import Audit

EXPOSURES = frozenset({"arm", "share", "decisions", "people", "known", "impressions"})
"""What an arm tells that is no outcome."""


def veiled(readout: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a readout as anyone may see it: one that is ``hidden`` without what came of its arms.

    >>> veiled({"hidden": "for 2 more days", "arms": [{"arm": "a", "people": 3, "clicks": 9}], "comparisons": [1],
    ...         "health": {"events": 9}})["arms"]
    [{'arm': 'a', 'people': 3}]
    """
    if not readout["hidden"]:
        return readout
    arms = [{name: value for name, value in arm.items() if name in EXPOSURES} for arm in readout["arms"]]
    return {**readout, "arms": arms, "comparisons": []}


def shown(audit: Audit) -> Audit:
    """Return an audit as whoever may read audits may see it: hidden results are veiled, and the files that hold them
    are left out. Revealing one experiment, with a reason, is the only early look."""
    told = audit.result.get("experiments", ()) if audit.kind == "experiments" else ()
    if not any(one["hidden"] for one in told):
        return audit
    return replace(audit, result={**audit.result, "experiments": [veiled(one) for one in told]}, artifacts={})


def found(experiments: Sequence[Mapping[str, Any]], key: str, origin: str) -> Mapping[str, Any] | None:
    """Return one readout or None."""
    return next((one for one in experiments if (one["key"], one["origin"]) == (key, origin)), None)
