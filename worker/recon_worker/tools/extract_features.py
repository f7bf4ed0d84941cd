"""Tool: find SIFT features in all photos and write them into a COLMAP database.

Lowe, "Distinctive Image Features from Scale-Invariant Keypoints", IJCV 60(2), 2004.
"""

from collections.abc import Mapping
from typing import Any

import pycolmap

from recon_worker.tools.placement_requests import FeatureRequest, PhotoGroup, SiftOptions
from recon_worker.tools.tool import main, report_fraction

CHUNK = 6
"""Photos between two lines of progress."""

CAMERA_MODEL = "SIMPLE_RADIAL"
"""One focal length and one radial distortion coefficient: what a walk around one object can determine safely."""


def extract_features(request: FeatureRequest) -> Mapping[str, Any]:
    """Return how many features were found in all."""
    request.database.unlink(missing_ok=True)
    pycolmap.Database.open(request.database).close()
    for group in request.groups:
        # First all photos in order: the threads below would number them as they finish, and the mapper goes by numbers.
        pycolmap.import_images(
            request.database,
            request.images,
            camera_mode=pycolmap.CameraMode.SINGLE,
            image_names=_names(group),
            options=_reader(request, group),
        )
    total, done = sum(len(group.files) for group in request.groups), 0
    for group in request.groups:
        names = _names(group)
        for start in range(0, len(names), CHUNK):
            report_fraction((done + start) / total)
            _extract(request, group, names[start : start + CHUNK])
        done += len(names)
    with pycolmap.Database.open(request.database) as database:
        return {"features": database.num_keypoints()}


def _names(group: PhotoGroup) -> list[str]:
    return [f"{group.name}/{file}" for file in group.files]


def _extract(request: FeatureRequest, group: PhotoGroup, names: list[str]) -> None:
    pycolmap.extract_features(
        request.database,
        request.images,
        image_names=names,
        camera_mode=pycolmap.CameraMode.SINGLE,
        reader_options=_reader(request, group),
        extraction_options=_options(request.sift),
        device=pycolmap.Device.cpu,
    )


def camera_params(focal_px: float, width: int, height: int) -> list[float]:
    """Return the parameters of an undistorted camera of that focal length and size, in pixels, in the order of CAMERA_MODEL."""
    return [focal_px, width / 2, height / 2, 0.0]


def camera_reader(focal_px: float | None, width: int, height: int) -> pycolmap.ImageReaderOptions:
    """Return how photos of that size, in pixels, are imported; their focal length is estimated where it is None."""
    reader = pycolmap.ImageReaderOptions()
    reader.camera_model = CAMERA_MODEL
    if focal_px:
        reader.camera_params = ",".join(map(str, camera_params(focal_px, width, height)))
    return reader


def _reader(request: FeatureRequest, group: PhotoGroup) -> pycolmap.ImageReaderOptions:
    reader = camera_reader(group.focal_px, group.width, group.height)
    if request.masks:
        reader.mask_path = request.masks
    return reader


def _options(sift: SiftOptions) -> pycolmap.FeatureExtractionOptions:
    options = pycolmap.FeatureExtractionOptions()
    options.use_gpu = False
    options.max_image_size = sift.image_px
    options.sift.max_num_features = sift.features
    options.sift.first_octave = sift.first_octave
    options.sift.peak_threshold = sift.peak_threshold
    return options


if __name__ == "__main__":
    pycolmap.logging.minloglevel = pycolmap.logging.WARNING.value
    main(FeatureRequest, extract_features)
