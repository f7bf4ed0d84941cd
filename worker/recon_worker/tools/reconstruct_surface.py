"""Tool: screened Poisson surface reconstruction, as in COLMAP, and cleaning the surface.

Kazhdan and Hoppe, "Screened Poisson Surface Reconstruction", ACM Transactions on Graphics 32(3), 2013.
"""

from collections.abc import Mapping
from typing import Any

import pycolmap

from recon_api import reasons
from recon_api.errors import UsageError
from recon_worker.geometry.ply import Surface, read_ply, write_ply
from recon_worker.tools.mesh_cleaning import decimated, drop_fragments, is_watertight, smoothed, with_normals
from recon_worker.tools.mesh_closing import closed
from recon_worker.tools.surface_request import SurfaceRequest
from recon_worker.tools.surface_trimming import without_extensions
from recon_worker.tools.tool import main, report_fraction

POISSON_SHARE = 0.85
"""Of the tool's time."""


def reconstruct_surface(request: SurfaceRequest) -> Mapping[str, Any]:
    """Write the mesh, with vertex colours and normals; say whether it is watertight.

    Raises UsageError(SURFACE_NOT_MEASURED) where no surface is left.
    """
    surface = without_extensions(
        _poisson(request), read_ply(request.points).xyz, reach=request.reach, hole_share=request.hole_share
    )
    report_fraction(POISSON_SHARE)
    if not len(surface.faces):
        raise UsageError(
            reasons.SURFACE_NOT_MEASURED,
            "too few surface points were measured for a mesh; take photos closer together, in even light",
        )
    return _clean(surface, request)


def _poisson(request: SurfaceRequest) -> Surface:
    options = pycolmap.PoissonMeshingOptions()
    options.depth = request.depth
    options.trim = 0.0
    options.color = True
    # With more threads the same points give another mesh each time, and two cores gain nothing over one.
    options.num_threads = 1
    pycolmap.poisson_meshing(request.points, request.mesh, options)
    return read_ply(request.mesh)


def _clean(surface: Surface, request: SurfaceRequest) -> Mapping[str, Any]:
    whole = drop_fragments(surface, request.least_share)
    reduced = decimated(smoothed(whole, request.smoothing_rounds), request.faces)
    cleaned = with_normals(closed(reduced) if request.closed else reduced)
    write_ply(request.mesh, cleaned)
    return {"watertight": is_watertight(cleaned.faces)}


if __name__ == "__main__":
    pycolmap.logging.minloglevel = pycolmap.logging.WARNING.value
    main(SurfaceRequest, reconstruct_surface)
