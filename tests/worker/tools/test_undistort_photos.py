"""What the tool leaves of placed photos for the stage that runs it."""

import inspect
import re

import numpy as np
import pycolmap
import pytest

from recon_worker.stages import estimate_poses
from recon_worker.tools.undistort_photos import _placement, undistorted_mask


def placement() -> dict[str, np.ndarray]:
    """The archive of a scene of five photos that pycolmap makes up."""
    options = pycolmap.SyntheticDatasetOptions()
    options.num_rigs, options.num_cameras_per_rig, options.num_frames_per_rig, options.num_points3D = 1, 1, 5, 40
    return _placement(pycolmap.synthesize_dataset(options))


def test_arrays_have_the_shapes_that_the_docstring_gives() -> None:
    arrays = placement()
    assert {name: values.shape for name, values in arrays.items() if name != "tracks"} == {
        "names": (5,),
        "size": (5, 2),
        "intrinsics": (5, 4),
        "rotations": (5, 3, 3),
        "translations": (5, 3),
        "xyz": (40, 3),
        "rgb": (40, 3),
    }
    assert arrays["tracks"].shape == (len(arrays["tracks"]), 2)
    assert (arrays["tracks"].max(axis=0) < (40, 5)).all()
    assert arrays["rgb"].dtype == np.uint8
    assert arrays["tracks"].dtype == np.int32


def test_the_stage_reads_every_array() -> None:
    assert set(re.findall(r'found\["(\w+)"\]', inspect.getsource(estimate_poses))) == set(placement())


@pytest.mark.parametrize(
    "k",
    [pytest.param(0.0, id="no distortion"), pytest.param(-0.2, id="a barrel"), pytest.param(0.1, id="a pincushion")],
)
def test_a_mask_is_undistorted_as_its_photo_is(k: float) -> None:
    camera = pycolmap.Camera.create_from_model_name(1, "SIMPLE_RADIAL", 300, 400, 300)
    camera.params = [300, 200, 150, k]
    ramp = np.add.outer(np.arange(300) // 3, np.arange(400) // 4).astype(np.uint8)  # each place has a value of its own
    photo = pycolmap.Bitmap.from_array(np.repeat(ramp[:, :, None], 3, axis=2))
    image, pinhole = pycolmap.undistort_image(pycolmap.UndistortCameraOptions(), photo, camera)
    expected, found = image.to_array()[:, :, 0].astype(int), undistorted_mask(ramp, camera, pinhole).astype(int)
    assert found.shape == expected.shape
    assert np.abs(found - expected)[2:-2, 2:-2].max() <= 2


def test_what_a_photo_does_not_show_is_hidden() -> None:
    camera = pycolmap.Camera.create_from_model_name(1, "SIMPLE_RADIAL", 300, 400, 300)
    wider = pycolmap.Camera.create_from_model_name(2, "PINHOLE", 150, 400, 300)
    mask = undistorted_mask(np.full((300, 400), 255, np.uint8), camera, wider)
    assert mask[0, 0] == 0
    assert mask[150, 200] == 255
