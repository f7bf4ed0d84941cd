"""Tool: screened Poisson surface reconstruction (Kazhdan and Hoppe, 2013), as in COLMAP."""

from collections.abc import Mapping
from typing import Any

import pycolmap

from recon_worker.tools.surface import SurfaceRequest
from recon_worker.tools.tool import main


def reconstruct_surface(request: SurfaceRequest) -> Mapping[str, Any]:
    """Write the mesh, with vertex colours."""
    options = pycolmap.PoissonMeshingOptions()
    options.depth = request.depth
    options.trim = request.trim
    options.color = True
    # With more threads the same points give another mesh each time, and two cores gain nothing over one.
    options.num_threads = 1
    pycolmap.poisson_meshing(request.points, request.mesh, options)
    return {}


if __name__ == "__main__":
    pycolmap.logging.minloglevel = pycolmap.logging.WARNING.value
    main(SurfaceRequest, reconstruct_surface)
