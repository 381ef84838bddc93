"""Loops as machine code."""

from collections.abc import Callable
from typing import Any

import numba

Loop = Callable[..., Any]


def compiled(signature: Any) -> Callable[[Loop], Loop]:
    """Compile a loop for one signature when its module is imported; the machine code is kept beside the module where
    that can be written."""
    compiler: Any = numba.njit

    def compile_loop(loop: Loop) -> Loop:
        try:
            kept: Loop = compiler(signature, nogil=True, error_model="numpy", cache=True)(loop)
        except (OSError, RuntimeError):  # nowhere to keep the machine code: compile it anew in each process
            kept = compiler(signature, nogil=True, error_model="numpy")(loop)
        return kept

    return compile_loop
