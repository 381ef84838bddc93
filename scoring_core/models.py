"""Registered model versions, loaded by their kind."""

from collections.abc import Callable, Mapping
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from scoring_core.live import Model
from storage.errors import Unavailable
from storage.files import write_whole
from storage.records.models import ModelKind, ModelVersion

Arrays = Mapping[str, NDArray[Any]]

ARRAYS = "arrays.npz"

LOADERS: Mapping[ModelKind, str] = {
    "gbdt": "scoring_core.scorers.gbdt:load",
    "factors": "scoring_core.candidates.factors:load",
    "hybrid": "scoring_core.candidates.hybrid:load",
    "content": "scoring_core.candidates.content:load",
    "sequences": "scoring_core.candidates.sequences:load",
    "linear_bandit": "scoring_core.scorers.linear:load",
    "person": "scoring_core.person:load",
    "plugin": "scoring_core.plugins:load_model",
}
"""Where each kind's ``load(version, home)`` is; a module is imported when its kind is first met."""

RETRIEVERS = frozenset[ModelKind]({"factors", "hybrid", "content", "sequences"})
"""The kinds that find items; ``load_model`` gives a ``Retriever`` for them, which has yet to be placed ``on`` a
shelf."""


def load_model(version: ModelVersion, home: Path) -> Any:
    """Load a registered version from its folder below ``home``: a ``Model``, a ``Retriever``, or what tells something
    of a person.

    Raises
    ------
    Unavailable
        If a file is missing or does not hash to what the registry says, or this program does not know the kind.
    """
    module, _, name = LOADERS[version.kind].partition(":")
    try:
        load: Callable[[ModelVersion, Path], Any] = getattr(import_module(module), name)
    except (ImportError, AttributeError):
        raise Unavailable(
            f"model {version.name} {version.version}: this program cannot load models of kind {version.kind}"
        ) from None
    return load(version, home)


def load_scorer(version: ModelVersion, home: Path) -> Model:
    """Load a version that scores and let it score once, so that its first decision pays for nothing."""
    model: Model = load_model(version, home)
    model.scorer.score(np.full((2, len(model.scorer.features)), np.nan))
    return model


def digest_of(arrays: Arrays) -> str:
    """Return the SHA-256 over names, types, shapes and bytes of arrays, in hex."""
    whole = sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        whole.update(f"{name}:{array.dtype.str}:{array.shape}".encode())
        whole.update(array.tobytes())
    return whole.hexdigest()


def read_arrays(version: ModelVersion, home: Path) -> Arrays:
    """Read a version's arrays.

    Raises
    ------
    Unavailable
        If the file is missing or damaged, or holds other arrays than were registered.
    """
    try:
        with (home / version.path / ARRAYS).open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, KeyError, BadZipFile):
        raise Unavailable(f"model {version.name} {version.version}: its arrays are missing or damaged") from None
    if digest_of(arrays) != version.digest:
        raise Unavailable(f"model {version.name} {version.version}: its files are not those that were registered")
    return arrays


def write_arrays(version: ModelVersion, home: Path, arrays: Arrays) -> None:
    """Write a version's arrays into its folder, whole or not at all.

    Raises
    ------
    Full, Unavailable
        As the disk answers.
    """
    from io import BytesIO

    buffer = BytesIO()
    np.savez(buffer, allow_pickle=False, **{name: np.ascontiguousarray(array) for name, array in arrays.items()})
    write_whole(home / version.path / ARRAYS, buffer.getvalue(), replace=False)
