"""Tool: find SIFT features (Lowe 2004) in all photos and write them into a COLMAP database."""

from collections.abc import Iterator, Mapping
from typing import Any

import pycolmap

from recon_worker.tools.features import Effort, FeatureRequest, PhotoGroup
from recon_worker.tools.tool import main, report_fraction

CHUNK = 6
"""Photos between two lines of progress."""

CAMERA_MODEL = "SIMPLE_RADIAL"
"""One focal length and one radial distortion coefficient: what a walk around one object can determine safely."""


def extract_features(request: FeatureRequest) -> Mapping[str, Any]:
    """Return how many features were found in all."""
    request.database.unlink(missing_ok=True)
    total, done = sum(len(group.files) for group in request.groups), 0
    for group in request.groups:
        camera_id = -1
        for names in _chunks(group):
            _extract(request, group, names, camera_id)
            if camera_id < 0:
                camera_id = _latest_camera(request)
            done += len(names)
            report_fraction(done / total)
    with pycolmap.Database.open(request.database) as database:
        return {"features": database.num_keypoints()}


def _chunks(group: PhotoGroup) -> Iterator[list[str]]:
    names = [f"{group.name}/{file}" for file in group.files]
    yield from (names[start : start + CHUNK] for start in range(0, len(names), CHUNK))


def _extract(request: FeatureRequest, group: PhotoGroup, names: list[str], camera_id: int) -> None:
    reader = pycolmap.ImageReaderOptions()
    reader.camera_model = CAMERA_MODEL
    if camera_id >= 0:
        reader.existing_camera_id = camera_id
    elif group.focal_px:
        reader.camera_params = f"{group.focal_px},{group.width / 2},{group.height / 2},0"
    if request.masks:
        reader.mask_path = request.masks
    pycolmap.extract_features(
        request.database,
        request.images,
        image_names=names,
        camera_mode=pycolmap.CameraMode.SINGLE,
        reader_options=reader,
        extraction_options=_options(request.effort),
        device=pycolmap.Device.cpu,
    )


def _options(effort: Effort) -> pycolmap.FeatureExtractionOptions:
    options = pycolmap.FeatureExtractionOptions()
    options.use_gpu = False
    options.max_image_size = effort.image_px
    options.sift.max_num_features = effort.features
    options.sift.first_octave = effort.first_octave
    options.sift.peak_threshold = effort.peak_threshold
    return options


def _latest_camera(request: FeatureRequest) -> int:
    with pycolmap.Database.open(request.database) as database:
        return max(camera.camera_id for camera in database.read_all_cameras())


if __name__ == "__main__":
    pycolmap.logging.minloglevel = pycolmap.logging.WARNING.value
    main(FeatureRequest, extract_features)
