"""Functions that are compiled for the CPU at their first call."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

P = ParamSpec("P")
R = TypeVar("R")

EXACTNESS = {"contract", "reassoc", "nsz", "arcp"}
"""Liberties with the order of operations, which vector instructions need. Not taken: that no value is infinite or not a number."""


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function of arrays and numbers; other threads run while it does.

    The machine code is kept for later processes beside the function's file, or in the user's folder for caches; where neither can
    be written, each process compiles for itself.
    """

    def compiler(*, cache: bool) -> Callable[P, R]:
        made = numba.njit(cache=cache, nogil=True, fastmath=EXACTNESS, error_model="numpy")(function)
        return cast("Callable[P, R]", made)

    try:
        return compiler(cache=True)
    except RuntimeError:  # "cannot cache function: no locator available"
        return compiler(cache=False)
