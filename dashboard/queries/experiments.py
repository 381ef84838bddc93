"""Experiments as pages read them: results that are hidden are not read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from governance.experiments.veil import veiled
from storage import findings
from storage.database import Read

Readout = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Readouts:
    """The newest readout of experiments; ``at`` is None before the first."""

    at: int | None
    experiments: tuple[Readout, ...] = ()


def readouts(read: Read) -> Readouts:
    """Return every experiment of the newest readout, without the outcomes of those that have not run long enough."""
    newest = next(iter(findings.audits(read, "experiments", limit=1)), None)
    if newest is None:
        return Readouts(at=None)
    return Readouts(at=newest.at, experiments=tuple(veiled(one) for one in newest.result["experiments"]))
