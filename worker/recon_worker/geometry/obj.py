"""Wavefront OBJ files of coloured meshes."""

from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from recon_worker.geometry.ply import Surface

LINES_AT_ONCE = 4096
"""Of an OBJ file, between two looks whether the work must stop: they take some hundredths of a second."""


def write_obj(file: Path, surface: Surface, check: Callable[[], None] = lambda: None) -> None:
    """Write a Wavefront OBJ; each vertex line ends with its sRGB colour in 0 to 1, as most programs read it.

    `check` is called for every few thousand lines and may raise.
    """
    vertices = np.concatenate([surface.xyz, surface.rgb / 255], axis=1)
    corners = np.repeat(surface.faces + 1, 2, axis=1)
    with file.open("w", encoding="ascii") as stream:
        _write_lines(stream, vertices, "v %.6g %.6g %.6g %.4f %.4f %.4f", check)
        _write_lines(stream, surface.normals, "vn %.4f %.4f %.4f", check)
        _write_lines(stream, corners, "f %d//%d %d//%d %d//%d", check)


def _write_lines(stream: IO[str], rows: npt.NDArray[Any], form: str, check: Callable[[], None]) -> None:
    """Write rows (n, k) as lines of that form."""
    for start in range(0, len(rows), LINES_AT_ONCE):
        check()
        np.savetxt(stream, rows[start : start + LINES_AT_ONCE], fmt=form)
