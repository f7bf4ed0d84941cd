"""Arrays in single precision, in which rays are cast and pictures are made."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


def floats(values: npt.ArrayLike) -> Floats:
    """Return values of any shape, (...,), as a contiguous array in single precision; no copy where they are one."""
    return np.ascontiguousarray(values, dtype=np.float32)


def unit_vectors(vectors: Floats) -> Floats:
    """Return vectors (n, 3) divided by their lengths; a null vector stays null."""
    squares = np.einsum("ij,ij->i", vectors, vectors)
    return floats(vectors / np.sqrt(np.maximum(squares, np.float32(1e-30)))[:, None])
