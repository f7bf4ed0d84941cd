"""Where published files have their origin: under the middle of the model, at its lowest level.

So it stands on the ground of the program that opens it, and turns around its own middle.
"""

import numpy as np
import numpy.typing as npt

from recon_worker.geometry.cameras import CameraSet

Array = npt.NDArray[np.float64]

OUTLIERS = 0.002
"""Share of the vertices that may be below the ground: single spikes do not lift a model."""


def standing_origin(xyz: npt.NDArray[np.floating]) -> Array:
    """Return the point of the world frame, (3,), that becomes the origin, of a mesh's vertices (n, 3); +Y is up."""
    low, high = np.quantile(xyz, [OUTLIERS, 1 - OUTLIERS], axis=0)
    middle = (low + high) / 2
    return np.array([middle[0], low[1], middle[2]], np.float64)


def moved_cameras(cameras: CameraSet, origin: Array) -> CameraSet:
    """Return cameras in a frame of the same axes whose origin is at `origin`, (3,), of the world frame."""
    return CameraSet(
        cameras=tuple(
            camera.model_copy(update={"t": tuple((camera.translation() + camera.rotation() @ origin).tolist())})
            for camera in cameras.cameras
        )
    )
