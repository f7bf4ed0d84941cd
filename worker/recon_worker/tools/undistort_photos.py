"""Tool: turn placed photos into images of ideal pinhole cameras, and write down cameras, sparse points and tracks."""

import shutil
from collections.abc import Mapping
from typing import Any

import numpy as np
import pycolmap

from recon_worker.tools.placement_requests import UndistortionRequest
from recon_worker.tools.tool import main, report_fraction

PLACEMENT = "placement.npz"
JPEG_QUALITY = 95


def undistort_photos(request: UndistortionRequest) -> Mapping[str, Any]:
    """Write `images/` and `placement.npz` into the output folder.

    The archive holds, for n cameras, p points and m observations, in the frame and unit of the given model: `names` (n,);
    `size` (n, 2), int, width and height in pixels; `intrinsics` (n, 4): fx, fy, cx, cy in pixels, with centres at +0.5;
    `rotations` (n, 3, 3) and `translations` (n, 3), from the frame to the camera's (x right, y down, z forward);
    `xyz` (p, 3); `rgb` (p, 3), uint8; `tracks` (m, 2), int32: index of the point, index of the camera.
    """
    scratch = request.output / "undistorted"
    pycolmap.undistort_images(scratch, request.model, request.images, jpeg_quality=JPEG_QUALITY)
    report_fraction(0.9)
    model = pycolmap.Reconstruction(scratch / "sparse")
    placement: dict[str, Any] = _placement(model)
    np.savez(request.output / PLACEMENT, **placement)
    shutil.move(scratch / "images", request.output / "images")
    shutil.rmtree(scratch)
    return {"images": model.num_reg_images()}


def _placement(model: pycolmap.Reconstruction) -> dict[str, np.ndarray[Any, Any]]:
    """Return the archive's arrays by name: (n, ...) of cameras, (p, 3) of points, (m, 2) of observations."""
    images = sorted((model.images[number] for number in model.reg_image_ids()), key=lambda image: image.name)
    index = {image.image_id: position for position, image in enumerate(images)}
    cameras = [model.cameras[image.camera_id] for image in images]
    poses = [image.cam_from_world() for image in images]
    points = [model.points3D[number] for number in sorted(model.point3D_ids())]
    tracks = [(row, index[view]) for row, point in enumerate(points) for view in _views(point) if view in index]
    return {
        "names": np.array([image.name for image in images]),
        "size": np.array([(camera.width, camera.height) for camera in cameras]),
        "intrinsics": np.array([_intrinsics(camera) for camera in cameras]),
        "rotations": np.array([pose.rotation.matrix() for pose in poses]),
        "translations": np.array([pose.translation for pose in poses]),
        "xyz": np.array([point.xyz for point in points]).reshape(-1, 3),
        "rgb": np.array([point.color for point in points], np.uint8).reshape(-1, 3),
        "tracks": np.array(tracks, np.int32).reshape(-1, 2),
    }


def _views(point: pycolmap.Point3D) -> list[int]:
    return sorted({element.image_id for element in point.track.elements})


def _intrinsics(camera: pycolmap.Camera) -> tuple[float, float, float, float]:
    return camera.focal_length_x, camera.focal_length_y, camera.principal_point_x, camera.principal_point_y


if __name__ == "__main__":
    pycolmap.logging.minloglevel = pycolmap.logging.WARNING.value
    main(UndistortionRequest, undistort_photos)
