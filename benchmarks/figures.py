"""One benchmark figure, the machine it was seen on, and CPU time read from the kernel."""

import json
import os
import platform
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np


def machine() -> dict[str, Any]:
    """Return what this machine is, in words that may be published."""
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.processor(),
    )
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "lightgbm": version("lightgbm"),
        "numpy": version("numpy"),
        "load_1m": round(os.getloadavg()[0], 2),
    }


@dataclass(frozen=True, kw_only=True)
class Figure:
    """``value`` against ``floor`` in ``unit``; ``ok`` tells whether ``ratio`` (or value) meets ``target``."""

    bench: str
    value: float
    unit: str
    floor: float | None
    ratio: float | None
    target: str
    ok: bool
    raw: dict[str, Any] = field(default_factory=dict)
    machine: dict[str, Any] = field(default_factory=machine)

    def print(self) -> None:
        """Write one JSON line to stdout."""
        print(json.dumps(asdict(self)), flush=True)


def cpu_seconds(pid: int) -> float:
    """Return user plus system time of one process, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def percentiles(values: list[float]) -> dict[str, float]:
    """Return p50, p95, p99 and the maximum, and how many there were."""
    array = np.asarray(values)
    p50, p95, p99 = np.percentile(array, [50, 95, 99])
    return {"p50": float(p50), "p95": float(p95), "p99": float(p99), "max": float(array.max()), "n": len(values)}
