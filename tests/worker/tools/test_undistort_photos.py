"""What the tool leaves of placed photos for the stage that runs it."""

import inspect
import re

import numpy as np
import pycolmap

from recon_worker.stages import estimate_poses
from recon_worker.tools.undistort_photos import _placement


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
