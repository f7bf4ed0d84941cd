"""The placed cameras of a scene: what `estimate_poses` leaves for everything after it."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

INDEX = "cameras.json"

CONVENTION = (
    "Pinhole cameras of the undistorted images. OpenCV axes: x right, y down, z forward; X_camera = R X_world + t; "
    "pixel centres at +0.5. World: +Y up, origin near the object, arbitrary unit."
)

Row = tuple[float, float, float]


class PlacedCamera(BaseModel):
    """One undistorted photo with its pinhole camera."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    """Name that the user gave the photo."""
    file: str
    """Path of the undistorted image, relative to the artefact's folder."""
    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    """Intrinsics in pixels; the centre of the first pixel is at (0.5, 0.5)."""
    R: tuple[Row, Row, Row]
    """Rotation from world to camera axes, row by row."""
    t: Row
    """Translation: X_camera = R X_world + t."""

    @property
    def mask_file(self) -> str:
        """Path of the undistorted image's mask, relative to the artefact's folder, where it has one."""
        return f"masks/{self.file.removeprefix('images/')}.png"

    def intrinsics(self) -> npt.NDArray[np.float64]:
        """Return K, (3, 3): from the camera's frame to pixels."""
        return np.array([[self.fx, 0.0, self.cx], [0.0, self.fy, self.cy], [0.0, 0.0, 1.0]])

    def rotation(self) -> npt.NDArray[np.float64]:
        """Return R, (3, 3), proper: from the world's axes to the camera's."""
        return np.array(self.R)

    def translation(self) -> npt.NDArray[np.float64]:
        """Return t, (3,), in the world's unit: X_camera = R X_world + t."""
        return np.array(self.t)

    def centre(self) -> npt.NDArray[np.float64]:
        """Return the centre of projection, (3,), in the world frame."""
        return -self.rotation().T @ self.translation()


def pinhole_rays(width: int, height: int, intrinsics: tuple[float, float, float, float]) -> npt.NDArray[np.float64]:
    """Return the rays through the n pixels of a picture, row by row, (n, 3), in the camera's frame, at depth 1.

    `intrinsics` are fx, fy, cx, cy in pixels.
    """
    fx, fy, cx, cy = intrinsics
    columns, rows = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    return np.stack([(columns - cx) / fx, (rows - cy) / fy, np.ones_like(columns)], axis=-1).reshape(-1, 3)


class CameraSet(BaseModel):
    """All placed cameras, in the order of the input."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    convention: str = CONVENTION
    cameras: tuple[PlacedCamera, ...]

    @classmethod
    def load(cls, folder: Path) -> "CameraSet":
        """Read the artefact's index from its folder."""
        return cls.model_validate_json((folder / INDEX).read_text())

    def save(self, folder: Path) -> None:
        """Write the artefact's index into its folder."""
        (folder / INDEX).write_text(self.model_dump_json(indent=1))
