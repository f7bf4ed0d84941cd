"""Cameras of known place: OpenCV axes (x right, y down, z forward), x_camera = R x_world + t, pixel centres at +0.5.

The world is the truth's frame (`shape`): right-handed, z up.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class TrueCamera:
    """One photo's camera, without lens distortion."""

    name: str
    """File name of the photo."""
    K: Matrix
    """(3, 3) intrinsics in pixels."""
    R: Matrix
    """(3, 3) rotation from world to camera."""
    t: Matrix
    """(3,) translation from world to camera."""

    @property
    def centre(self) -> Matrix:
        """(3,) the camera's place in the world."""
        return -self.R.T @ self.t

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels; the principal point is the middle."""
        return round(2 * self.K[0, 2]), round(2 * self.K[1, 2])


def camera_at(name: str, centre: Matrix, target: Matrix, size: tuple[int, int], focal_px: float) -> TrueCamera:
    """Return an upright camera at `centre`, (3,), that looks at `target`, (3,), and neither straight up nor straight down.

    Both are in the world frame, where z is up. `size` is width and height in pixels.
    """
    forward = (target - centre) / np.linalg.norm(target - centre)
    right = np.cross(forward, [0, 0, 1])
    right /= np.linalg.norm(right)
    rotation = np.stack([right, np.cross(forward, right), forward])
    width, height = size
    intrinsics = np.array([[focal_px, 0, width / 2], [0, focal_px, height / 2], [0, 0, 1]])
    return TrueCamera(name, intrinsics, rotation, -rotation @ centre)


@dataclass(frozen=True)
class Ring:
    """Photos taken while walking around the object once."""

    count: int
    elevation_deg: float
    distance: float
    """From the object's middle, in the truth's units."""


def cameras_on_rings(
    rings: tuple[Ring, ...], size: tuple[int, int], focal_px: float, seed: int
) -> tuple[TrueCamera, ...]:
    """Return the cameras of all rings, each placed and aimed a little unevenly as by hand."""
    random = np.random.default_rng(seed)
    cameras: list[TrueCamera] = []
    for number, ring in enumerate(rings):
        for step in range(ring.count):
            azimuth = 2 * np.pi * (step + 0.37 * number) / ring.count
            elevation = np.radians(ring.elevation_deg)
            place = np.array(
                [np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)]
            )
            centre = ring.distance * place + random.normal(0, 0.05, 3)
            target = np.array([0.02, 0.0, -0.07]) + random.normal(0, 0.03, 3)
            cameras.append(camera_at(f"{len(cameras):03d}.jpg", centre, target, size, focal_px))
    return tuple(cameras)


def save_cameras(cameras: tuple[TrueCamera, ...], file: Path) -> None:
    """Write the cameras as a JSON list of {name, K, R, t}."""
    rows = [{"name": c.name, "K": c.K.tolist(), "R": c.R.tolist(), "t": c.t.tolist()} for c in cameras]
    file.write_text(json.dumps(rows))


def load_cameras(file: Path) -> tuple[TrueCamera, ...]:
    """Read what `save_cameras` wrote."""
    rows = json.loads(file.read_text())
    return tuple(
        TrueCamera(row["name"], np.array(row["K"]), np.array(row["R"]), np.array(row["t"]).reshape(3)) for row in rows
    )
