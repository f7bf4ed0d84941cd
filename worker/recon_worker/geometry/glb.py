"""Binary glTF 2.0 files (GLB) of coloured meshes."""

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recon_worker.geometry.ply import Surface

GLB_MAGIC, GLB_VERSION, JSON_CHUNK, BINARY_CHUNK = 0x46546C67, 2, 0x4E4F534A, 0x004E4942
FLOAT, UNSIGNED_SHORT, UNSIGNED_INT = 5126, 5123, 5125
ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER = 34962, 34963

MATERIAL = {
    "name": "surface",
    "pbrMetallicRoughness": {"baseColorFactor": [1, 1, 1, 1], "metallicFactor": 0.0, "roughnessFactor": 0.9},
    "doubleSided": True,
}
"""Matt, so that the photos' own light and shade are not lit a second time; double-sided, for a mesh may have holes."""


def write_glb(file: Path, surface: Surface, check: Callable[[], None] = lambda: None) -> None:
    """Write a binary glTF 2.0 (Khronos, 2021): one mesh of indexed triangles with normals and linear COLOR_0.

    The surface's frame must be +Y up; colours are taken as sRGB and written as linear values, as the standard has it.
    `check` is called between parts and may raise.
    """
    parts = (
        (surface.faces.astype("<u4").ravel(), "SCALAR", UNSIGNED_INT, ELEMENT_ARRAY_BUFFER),
        (surface.xyz.astype("<f4"), "VEC3", FLOAT, ARRAY_BUFFER),
        (surface.normals.astype("<f4"), "VEC3", FLOAT, ARRAY_BUFFER),
        (_linear_rgba(surface.rgb), "VEC4", UNSIGNED_SHORT, ARRAY_BUFFER),
    )
    binary, views, accessors = b"", [], []
    for index, (values, shape, component, target) in enumerate(parts):
        check()
        data = values.tobytes()  # each part is a multiple of four bytes long, so the next is aligned
        views.append({"buffer": 0, "byteOffset": len(binary), "byteLength": len(data), "target": target})
        accessors.append({"bufferView": index, "componentType": component, "count": len(values), "type": shape})
        binary += data
    accessors[1] |= {"min": surface.xyz.min(axis=0).tolist(), "max": surface.xyz.max(axis=0).tolist()}
    accessors[3]["normalized"] = True
    check()
    file.write_bytes(_container(_document(views, accessors, len(binary)), binary))


def _linear_rgba(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint16]:
    """Return sRGB bytes (n, 3) as linear 16-bit values (n, 4), opaque (IEC 61966-2-1); bytes would band in the shadows."""
    tone = np.arange(256) / 255
    table = np.where(tone <= 0.04045, tone / 12.92, ((tone + 0.055) / 1.055) ** 2.4)
    linear = np.full((len(rgb), 4), 65535, dtype="<u2")
    linear[:, :3] = np.round(table * 65535).astype("<u2")[rgb]
    return linear


def _document(views: list[dict[str, Any]], accessors: list[dict[str, Any]], length: int) -> dict[str, Any]:
    attributes = {"POSITION": 1, "NORMAL": 2, "COLOR_0": 3}
    return {
        "asset": {"version": "2.0", "generator": "reconstruction-operator"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "name": "reconstruction"}],
        "meshes": [{"primitives": [{"attributes": attributes, "indices": 0, "material": 0, "mode": 4}]}],
        "materials": [MATERIAL],
        "buffers": [{"byteLength": length}],
        "bufferViews": views,
        "accessors": accessors,
    }


def _container(document: dict[str, Any], binary: bytes) -> bytes:
    """Return the GLB file: a header, the JSON chunk padded with spaces, the binary chunk padded with zeros."""
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    binary += b"\0" * (-len(binary) % 4)
    chunks = struct.pack("<II", len(text), JSON_CHUNK) + text + struct.pack("<II", len(binary), BINARY_CHUNK) + binary
    return struct.pack("<III", GLB_MAGIC, GLB_VERSION, 12 + len(chunks)) + chunks
