"""Where a model comes from: files, periods, weights, seed, parameters, code."""

import platform
from collections.abc import Mapping, Sequence
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlmodel import select

from scoring_core.features import interests, table
from storage.database import Database
from storage.records.clock import iso
from storage.tables.observed import LakeFileRow

WEIGHTS = "inverse propensity, clipped at 100, times the trust in the subject's feedback"
LIBRARIES = ("lightgbm", "numpy", "numba", "scikit-learn")


def period(rows: int, clicks: int, at: NDArray[np.int64] | Sequence[int]) -> Mapping[str, Any]:
    """Return how many rows there are, how many were clicked, and from when to when (``at`` is in order)."""
    return {
        "rows": rows,
        "clicks": clicks,
        "from": iso(int(at[0])) if len(at) else None,
        "to": iso(int(at[-1])) if len(at) else None,
    }


def files(database: Database, origins: Sequence[str]) -> list[Mapping[str, Any]]:
    """Return the lake's files of these origins, with what they hash to."""
    with database.read() as read:
        rows = read.all(select(LakeFileRow).order_by(LakeFileRow.path))
    return [{"path": row.path, "sha256": row.sha256, "rows": row.rows} for row in rows if row.origin in origins]


def code() -> Mapping[str, str]:
    """Return the versions of what makes features and models."""
    return {
        "fairlead": version("fairlead"),
        "source": source_digest(),
        "python": platform.python_version(),
        **{library: version(library) for library in LIBRARIES},
    }


def source_digest() -> str:
    """Return the digest of the code that makes features and models."""
    sources = [*sorted(Path(__file__).parent.glob("*.py")), Path(table.__file__), Path(interests.__file__)]
    return sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
