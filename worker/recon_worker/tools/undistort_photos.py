"""Tool: turn placed photos into images of ideal pinhole cameras, and write down cameras, sparse points and tracks."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pycolmap
from PIL import Image, ImageFilter

from recon_worker.geometry.cameras import pinhole_rays
from recon_worker.tools.placement_requests import UndistortionRequest
from recon_worker.tools.tool import main, report_fraction

PLACEMENT = "placement.npz"
JPEG_QUALITY = 95

RIM_PX = 2
"""By so much a mask's hidden part grows: the pixels there are mixed with what is hidden."""


def undistort_photos(request: UndistortionRequest) -> Mapping[str, Any]:
    """Write `images/`, `masks/` and `placement.npz` into the output folder.

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
    if request.masks:
        _undistort_masks(pycolmap.Reconstruction(request.model), model, request.masks, request.output / "masks")
    shutil.move(scratch / "images", request.output / "images")
    shutil.rmtree(scratch)
    return {"images": model.num_reg_images()}


def _undistort_masks(
    distorted: pycolmap.Reconstruction, model: pycolmap.Reconstruction, masks: Path, folder: Path
) -> None:
    """Write the masks of the model's images, in the shape of its pinhole cameras: 255 shows, 0 hides."""
    for number in model.reg_image_ids():
        image = model.images[number]
        source, target = masks / f"{image.name}.png", folder / f"{image.name}.png"
        if not source.exists():
            continue
        with Image.open(source) as opened:
            mask = np.asarray(opened.convert("L"))
        original = distorted.cameras[distorted.images[number].camera_id]
        target.parent.mkdir(parents=True, exist_ok=True)
        shown = Image.fromarray(undistorted_mask(mask, original, model.cameras[image.camera_id]))
        shown.filter(ImageFilter.MinFilter(2 * RIM_PX + 1)).save(target)


def undistorted_mask(
    mask: npt.NDArray[np.uint8], distorted: pycolmap.Camera, pinhole: pycolmap.Camera
) -> npt.NDArray[np.uint8]:
    """Return a mask (h, w) of a camera's photo as the pinhole camera sees it; what the photo does not show is hidden (0)."""
    rays = pinhole_rays(pinhole.width, pinhole.height, _intrinsics(pinhole))
    column, row = np.floor(np.asarray(distorted.img_from_cam(rays))).T
    inside = (column >= 0) & (column < mask.shape[1]) & (row >= 0) & (row < mask.shape[0])
    shown = np.zeros(len(rays), np.uint8)
    shown[inside] = mask[row[inside].astype(int), column[inside].astype(int)]
    return shown.reshape(pinhole.height, pinhole.width)


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
