"""Binary PLY files of points and of triangle meshes, as numpy arrays."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

_TYPES = {
    "char": "i1",
    "int8": "i1",
    "uchar": "u1",
    "uint8": "u1",
    "short": "i2",
    "int16": "i2",
    "ushort": "u2",
    "uint16": "u2",
    "int": "i4",
    "int32": "i4",
    "uint": "u4",
    "uint32": "u4",
    "float": "f4",
    "float32": "f4",
    "double": "f8",
    "float64": "f8",
}

_VERTEX = np.dtype(
    [
        ("x", "<f4"),
        ("y", "<f4"),
        ("z", "<f4"),
        ("nx", "<f4"),
        ("ny", "<f4"),
        ("nz", "<f4"),
        ("red", "u1"),
        ("green", "u1"),
        ("blue", "u1"),
    ]
)
_FACE = np.dtype([("count", "u1"), ("indices", "<i4", 3)])
_NAMES = {"f4": "float", "u1": "uchar"}


@dataclass(frozen=True)
class Surface:
    """Points with normals and colours, and triangles between them (none for a point cloud)."""

    xyz: npt.NDArray[np.float32]
    """(n, 3) positions; frame and unit are those of the file, mostly the world's (`recon_worker.geometry.cameras`)."""
    normals: npt.NDArray[np.float32]
    """(n, 3) unit vectors out of the surface, in the frame of the positions."""
    rgb: npt.NDArray[np.uint8]
    """(n, 3) sRGB."""
    faces: npt.NDArray[np.int32]
    """(m, 3) indices of vertices, counter-clockwise seen from outside."""


NO_FACES: npt.NDArray[np.int32] = np.zeros((0, 3), np.int32)


def write_ply(path: Path, surface: Surface) -> None:
    """Write a binary little endian PLY: float32 positions and normals, uint8 colours, triangles where there are any."""
    vertices = np.empty(len(surface.xyz), _VERTEX)
    for names, values in (("x y z", surface.xyz), ("nx ny nz", surface.normals), ("red green blue", surface.rgb)):
        for column, name in enumerate(names.split()):
            vertices[name] = values[:, column]
    faces = np.empty(len(surface.faces), _FACE)
    faces["count"], faces["indices"] = 3, surface.faces
    properties = "".join(f"property {_NAMES[_VERTEX[name].str[1:]]} {name}\n" for name in _VERTEX.names or ())
    header = f"ply\nformat binary_little_endian 1.0\nelement vertex {len(vertices)}\n{properties}"
    if len(faces):
        header += f"element face {len(faces)}\nproperty list uchar int vertex_indices\n"
    path.write_bytes(header.encode() + b"end_header\n" + vertices.tobytes() + faces.tobytes())


def read_ply(path: Path) -> Surface:
    """Read a binary little endian PLY of triangles or points; normals and colours that it lacks are zeros.

    Raises ValueError where the file is of another kind.
    """
    header, _, body = path.read_bytes().partition(b"end_header\n")
    elements = _elements(header.decode("ascii").splitlines())
    arrays, offset = {}, 0
    for name, count, dtype in elements:
        arrays[name] = np.frombuffer(body, dtype, count, offset)
        offset += count * dtype.itemsize
    vertices = arrays["vertex"]
    faces = arrays["face"]["indices"].astype(np.int32) if "face" in arrays else NO_FACES
    return Surface(
        xyz=_columns(vertices, ("x", "y", "z")).astype(np.float32),
        normals=_columns(vertices, ("nx", "ny", "nz")).astype(np.float32),
        rgb=_columns(vertices, ("red", "green", "blue")).astype(np.uint8),
        faces=np.ascontiguousarray(faces),
    )


def _elements(lines: list[str]) -> list[tuple[str, int, np.dtype[np.void]]]:
    """Return (name, count, record type) of each element of the header; every list must be one of three."""
    if lines[:2] != ["ply", "format binary_little_endian 1.0"]:
        raise ValueError(f"not a binary little endian PLY: {lines[:2]}")
    found: list[tuple[str, int, list[tuple[str, str] | tuple[str, str, int]]]] = []
    for line in lines[2:]:
        match line.split():
            case ["element", name, count]:
                found.append((name, int(count), []))
            case ["property", "list", size, index, _]:
                found[-1][2].extend([("count", _TYPES[size]), ("indices", "<" + _TYPES[index], 3)])
            case ["property", kind, name]:
                found[-1][2].append((name, "<" + _TYPES[kind]))
            case _:
                continue
    return [(name, count, np.dtype(fields)) for name, count, fields in found]


def _columns(records: npt.NDArray[np.void], names: tuple[str, ...]) -> npt.NDArray[np.float64]:
    """Return k fields of n records by their names, (n, k); zeros where the records lack one."""
    columns = np.zeros((len(records), len(names)))
    for column, name in enumerate(names):
        if name in (records.dtype.names or ()):
            columns[:, column] = records[name]
    return columns
