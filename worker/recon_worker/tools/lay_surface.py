"""Tool: screened Poisson surface reconstruction, as in COLMAP.

Kazhdan and Hoppe, "Screened Poisson Surface Reconstruction", ACM Transactions on Graphics 32(3), 2013.
"""

from collections.abc import Mapping
from typing import Any

import pycolmap

from recon_worker.tools.surface_requests import SurfaceRequest
from recon_worker.tools.tool import main


def lay_surface(request: SurfaceRequest) -> Mapping[str, Any]:
    """Write a closed surface with vertex colours."""
    options = pycolmap.PoissonMeshingOptions()
    options.depth = request.depth
    options.trim = 0.0
    options.color = True
    # With more threads the same points give another mesh each time, and two cores gain nothing over one.
    options.num_threads = 1
    pycolmap.poisson_meshing(request.points, request.mesh, options)
    return {}


if __name__ == "__main__":
    pycolmap.logging.minloglevel = pycolmap.logging.WARNING.value
    main(SurfaceRequest, lay_surface)
