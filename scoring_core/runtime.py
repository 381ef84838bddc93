"""What a decision was computed on: the digest that tells whether a replay may promise the same bytes."""

import platform
from functools import lru_cache
from hashlib import blake2b
from importlib.metadata import PackageNotFoundError, version

LIBRARIES = ("numpy", "lightgbm", "numba", "faiss-cpu")


@lru_cache(maxsize=1)
def runtime() -> dict[str, str]:
    """Return what the digest is made of: Python, the libraries that compute, the architecture."""
    return {
        "python": platform.python_version(),
        **{library: _version(library) for library in LIBRARIES},
        "architecture": platform.machine(),
    }


@lru_cache(maxsize=1)
def runtime_digest() -> str:
    """Return the digest of this process's runtime, 16 hex digits."""
    text = "\n".join(f"{name}={value}" for name, value in runtime().items())
    return blake2b(text.encode(), digest_size=8).hexdigest()


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "absent"
