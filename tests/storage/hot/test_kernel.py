"""The compiled steps: kept machine code is never older than its parts, and half precision is numpy's."""

from hashlib import blake2b
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from storage.hot import kernel, packed, steps
from storage.hot.learning import HALVES


def test_the_machine_code_knows_its_parts() -> None:
    hashed = blake2b(digest_size=8)
    for module in (packed, steps):
        hashed.update(Path(str(module.__file__)).read_bytes())
    assert hashed.hexdigest() == kernel.PARTS, "write this digest into storage/hot/kernel.py"


@given(st.floats(-1e9, 1e9) | st.floats(-1e-4, 1e-4))
def test_half_precision_is_numpys_and_saturates(value: float) -> None:
    bits = packed.half(value)
    expected = np.float16(min(max(value, -65504.0), 65504.0))
    assert HALVES[bits] == np.float32(expected)


def test_every_half_comes_back_as_itself() -> None:
    for bits in range(0, 0x7C00, 7):
        assert packed.half(np.float64(HALVES[bits])) == bits
