"""Compiled functions."""

import numpy as np
from numba.core.dispatcher import Dispatcher

from recon_worker.stages.compiled import compiled


def test_a_function_is_compiled_also_where_its_machine_code_cannot_be_kept() -> None:
    function = compiled(eval("lambda values: 2 * values.sum()"))  # noqa: S307 - of no file, so nothing can be kept beside it
    assert function(np.arange(4.0)) == 12
    assert isinstance(function, Dispatcher)
