"""What photos that are placed see of the same points, as arrays in a file, for what moves it by the photos themselves."""

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pycolmap

Array = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Tracks:
    """Cameras, points, and where each camera sees which point. Pixels: the corner of the first one is 0, 0."""

    names: npt.NDArray[np.str_]
    """(c,) of the photos."""
    intrinsics: Array
    """(c, 4): focal length, principal point x and y, in pixels, and the radial distortion coefficient."""
    rotations: Array
    """(c, 3, 3), from the world to the camera."""
    translations: Array
    """(c, 3)"""
    xyz: Array
    """(p, 3) points."""
    cameras: Numbers
    """(m,) camera of each observation, ..."""
    points: Numbers
    """(m,) its point, ..."""
    places: Array
    """(m, 2) and where it is, in pixels of the photo."""

    @classmethod
    def of(cls, model: pycolmap.Reconstruction) -> "Tracks":
        """Gather them from a model whose cameras have one distortion coefficient; observations come as in `observations`."""
        images = [model.image(number) for number in sorted(model.reg_image_ids())]
        poses = [image.cam_from_world() for image in images]
        numbers = {point: number for number, point in enumerate(model.points3D)}
        order = {image.image_id: number for number, image in enumerate(images)}
        seen = observations(model)
        return cls(
            names=np.array([image.name for image in images], dtype=str),
            intrinsics=np.array([model.cameras[image.camera_id].params for image in images]),
            rotations=np.array([pose.rotation.matrix() for pose in poses]),
            translations=np.array([pose.translation for pose in poses]),
            xyz=np.array([point.xyz for point in model.points3D.values()]).reshape(-1, 3),
            cameras=np.array([order[image] for image, _, _ in seen], dtype=np.int64),
            points=np.array([numbers[point] for _, _, point in seen], dtype=np.int64),
            places=np.array([model.image(image).points2D[feature].xy for image, feature, _ in seen]).reshape(-1, 2),
        )

    def save(self, path: Path) -> None:
        """Write them into a file."""
        np.savez(path, **{field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def load(cls, path: Path) -> "Tracks":
        """Read them from a file."""
        with np.load(path) as file:
            return cls(**{field.name: file[field.name] for field in fields(cls)})


def observations(model: pycolmap.Reconstruction) -> list[tuple[int, int, int]]:
    """Return image, feature and point of all observations of a model, in order."""
    return [
        (number, feature, place.point3D_id)
        for number in sorted(model.reg_image_ids())
        for feature, place in enumerate(model.image(number).points2D)
        if place.has_point3D()
    ]
