"""Tool: move the features of placed photos to where they were found by the photos themselves, and adjust cameras and points."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pycolmap

from recon_worker.tools.placement_requests import AdjustmentRequest
from recon_worker.tools.tool import main
from recon_worker.tools.tracks import observations

ROBUST_PX = 0.5
"""Distance from which on a feature counts less and less (Cauchy): most are exact to a tenth of a pixel."""

WRONG_PX = 2.0
"""Features that are farther from where they should be are dropped."""

LEAST_ANGLE_DEG = 1.5
"""Between the rays to a point, which is dropped otherwise, as in the mapper."""

TOLERANCE = 1e-5
"""Change of the sum of errors, as a share, with which it is exact enough: centres of cameras are within 4e-6 of what 1e-7 leads to."""


def adjust_cameras(request: AdjustmentRequest) -> Mapping[str, Any]:
    """Change the model in place; return its number of points and its mean reprojection error."""
    model = pycolmap.Reconstruction(request.model)
    with np.load(request.moved) as file:
        places, kept = file["places"], file["kept"]
    for (image, feature, _), place, is_kept in zip(observations(model), places, kept, strict=True):
        if is_kept:
            model.image(image).points2D[feature].xy = place
        elif model.image(image).points2D[feature].has_point3D():  # its point may be gone with another observation
            model.delete_observation(image, feature)
    pycolmap.bundle_adjustment(model, _options())
    manager = pycolmap.ObservationManager(model)
    manager.filter_all_points3D(WRONG_PX, LEAST_ANGLE_DEG)
    model.update_point_3d_errors()
    model.write_binary(request.model)
    return {
        "points": model.num_points3D(),
        "reprojection_error_px": round(model.compute_mean_reprojection_error(), 3),
    }


def _options() -> pycolmap.BundleAdjustmentOptions:
    options = pycolmap.BundleAdjustmentOptions()
    options.print_summary = False
    options.ceres.loss_function_type = pycolmap.LossFunctionType.CAUCHY
    options.ceres.loss_function_scale = ROBUST_PX
    options.ceres.solver_options.function_tolerance = TOLERANCE
    # More threads add up residuals in another order each time.
    options.ceres.solver_options.num_threads = 1
    return options


if __name__ == "__main__":
    pycolmap.logging.minloglevel = pycolmap.logging.WARNING.value
    main(AdjustmentRequest, adjust_cameras)
