"""Tool: what a surface goes on to beyond what was measured is cut off; the rest is smoothed, reduced and, where asked for, closed."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from recon_api import reasons
from recon_api.errors import UsageError
from recon_worker.geometry.ply import read_ply, write_ply
from recon_worker.tools.mesh_cleaning import decimated, drop_fragments, is_watertight, smoothed, with_normals
from recon_worker.tools.mesh_closing import closed
from recon_worker.tools.surface_requests import SurfaceCleaning
from recon_worker.tools.surface_trimming import without_extensions
from recon_worker.tools.tool import main


def clean_surface(request: SurfaceCleaning) -> Mapping[str, Any]:
    """Write the mesh, with vertex colours and normals; say whether it is watertight.

    Raises UsageError(SURFACE_NOT_MEASURED) where no surface is left.
    """
    measured = without_extensions(
        read_ply(request.mesh),
        read_ply(request.points).xyz,
        np.load(request.seen_through),
        reach=request.reach,
        hole_share=request.hole_share,
    )
    if not len(measured.faces):
        raise UsageError(
            reasons.SURFACE_NOT_MEASURED,
            "too few surface points were measured for a mesh; take photos closer together, in even light",
        )
    whole = drop_fragments(measured, request.least_share)
    reduced = decimated(smoothed(whole, request.smoothing_rounds), request.faces)
    cleaned = with_normals(closed(reduced) if request.closed else reduced)
    write_ply(request.mesh, cleaned)
    return {"watertight": is_watertight(cleaned.faces)}


if __name__ == "__main__":
    main(SurfaceCleaning, clean_surface)
