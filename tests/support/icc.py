"""Colour profiles for tests: three primaries and a gamma (ICC.1:2010, a matrix and a curve for each channel)."""

import struct

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]

TO_XYZ_SRGB = np.array([[0.4361, 0.3851, 0.1431], [0.2225, 0.7169, 0.0606], [0.0139, 0.0971, 0.7141]])
"""Of linear sRGB to XYZ under D50, as in the profile of sRGB IEC61966-2.1."""

TO_XYZ_P3 = np.array([[0.5151, 0.2919, 0.1572], [0.2412, 0.6922, 0.0666], [-0.0011, 0.0419, 0.7841]])
"""Of linear Display P3, likewise."""

TO_XYZ_PROPHOTO = np.array([[0.7977, 0.1352, 0.0313], [0.2880, 0.7119, 0.0001], [0.0, 0.0, 0.8249]])
"""Of linear ProPhoto RGB, likewise."""


def profile(to_xyz: Matrix, gamma: float) -> bytes:
    """Return the profile of RGB values with these primaries (3, 3), as columns, and this gamma."""
    xyz = [b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in column)) for column in to_xyz.T]
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in (0.9642, 1.0, 0.8249)))
    curve = b"curv\0\0\0\0" + struct.pack(">IHH", 1, round(gamma * 256), 0)
    text = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0" + bytes(79)
    parts = {b"desc": text, b"wtpt": white, b"rXYZ": xyz[0], b"gXYZ": xyz[1], b"bXYZ": xyz[2]}
    parts |= {b"rTRC": curve, b"gTRC": curve, b"bTRC": curve}
    return _assembled(b"RGB ", parts)


def grey_profile(gamma: float) -> bytes:
    """Return the profile of grey values with this gamma."""
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in (0.9642, 1.0, 0.8249)))
    curve = b"curv\0\0\0\0" + struct.pack(">IHH", 1, round(gamma * 256), 0)
    text = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0" + bytes(79)
    return _assembled(b"GRAY", {b"desc": text, b"wtpt": white, b"kTRC": curve})


def _assembled(space: bytes, parts: dict[bytes, bytes]) -> bytes:
    table, data, offset = b"", b"", 128 + 4 + 12 * len(parts)
    for name, part in parts.items():
        table += name + struct.pack(">II", offset + len(data), len(part))
        data += part + bytes(-len(part) % 4)
    body = struct.pack(">I", len(parts)) + table + data
    head = struct.pack(">I4sI4s4s4s", 128 + len(body), b"lcms", 0x02400000, b"mntr", space, b"XYZ ")
    head += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + body


def in_srgb(rgb: tuple[int, int, int], to_xyz: Matrix, gamma: float) -> tuple[int, ...]:
    """Return the sRGB colour (IEC 61966-2-1) of a colour of such a profile."""
    linear = np.linalg.inv(TO_XYZ_SRGB) @ to_xyz @ (np.array(rgb) / 255) ** gamma
    linear = np.clip(linear, 0, 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return tuple(int(value) for value in np.round(255 * encoded))
