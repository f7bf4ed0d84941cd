"""Laying a surface through the points, and cleaning it.

The artefact: `mesh.ply`, with normals and colours at its vertices, in the world frame.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recon_worker.geometry.cameras import CameraSet
from recon_worker.geometry.ply import Surface, read_ply, write_ply
from recon_worker.progress import Progress
from recon_worker.scene import Scene
from recon_worker.stages import estimate_depth, estimate_poses, fuse_depths
from recon_worker.stages.background import wait_for
from recon_worker.stages.estimate_depth import saved_maps
from recon_worker.stages.estimate_poses import SparsePoints
from recon_worker.stages.parameters import MultiViewParameters
from recon_worker.stages.seen_through import seen_through
from recon_worker.stages.surface_checks import SurfaceEvidence, compare, require_measured
from recon_worker.stages.vertex_colours import ColourSource, coloured
from recon_worker.tools.runner import run_tool
from recon_worker.tools.surface_requests import SurfaceCleaning, SurfaceRequest

STAGE = "build_mesh"
MESH = "mesh.ply"

LEAST_LEVELS = 6
"""Of an octree: with fewer nothing is left of a surface."""

BOX = 1.1
"""Side of the octree's box over the longest side of the points' own, as the surface reconstruction chooses it."""

REACH = 3.2
"""Spacings of the points; farther away from all of them nothing was measured."""

HOLE_SHARE = 0.01
"""Parts without points are kept up to this share of the measured area: they close holes. Larger ones bridge gaps or go on beyond the edges."""

CLOSED_HOLE_SHARE = 0.1
"""The same where the mesh is to be closed: what the points suggest closes a hole better than a flat cap."""

LEAST_SHARE = 0.02
"""Parts smaller than this share of the largest one are fragments."""

SMOOTHING_ROUNDS = 2


def build_mesh(scene: Scene, folder: Path, parameters: MultiViewParameters, progress: Progress) -> Mapping[str, Any]:
    """Write the mesh; return its size and whether it is closed. Raises UsageError(SURFACE_NOT_MEASURED)."""
    plain = folder / "surface.ply"
    watertight = _lay(plain, scene, folder, parameters, progress.part(0.0, 0.85))
    surface = read_ply(plain)
    plain.unlink()
    sources = _colour_sources(scene)
    surface = coloured(surface, sources, progress.part(0.85, 0.98))
    evidence = _compared(scene, surface, progress.part(0.98, 1.0))
    require_measured(evidence)
    write_ply(folder / MESH, surface)
    figures = {"vertices": len(surface.xyz), "faces": len(surface.faces), "watertight": watertight}
    return figures | {name: round(value, 3) for name, value in asdict(evidence).items()}


def _lay(mesh: Path, scene: Scene, folder: Path, parameters: MultiViewParameters, progress: Progress) -> bool:
    """Write a surface through the points, without what was not measured; say whether it is watertight."""
    points = scene.folder(fuse_depths.STAGE) / fuse_depths.POINTS
    preset, spacing = parameters.preset, float(scene.report(fuse_depths.STAGE)["spacing"])
    depth = octree_depth(read_ply(points).xyz, preset.surface_cell * spacing, preset.octree_levels)
    run_tool("lay_surface", SurfaceRequest(points=points, mesh=mesh, depth=depth), folder, progress.part(0.0, 0.7))
    maps = list(saved_maps(scene.folder(estimate_depth.STAGE)).values())
    through = folder / "seen_through.npy"
    np.save(through, seen_through(read_ply(mesh).xyz, maps, progress.part(0.7, 0.8)))
    request = SurfaceCleaning(
        points=points,
        mesh=mesh,
        seen_through=through,
        reach=REACH * spacing,
        hole_share=CLOSED_HOLE_SHARE if parameters.closed else HOLE_SHARE,
        least_share=LEAST_SHARE,
        smoothing_rounds=SMOOTHING_ROUNDS,
        faces=parameters.faces,
        closed=parameters.closed,
    )
    report = run_tool("clean_surface", request, folder, progress.part(0.8, 1.0))
    through.unlink()
    return bool(report["watertight"])


def octree_depth(xyz: npt.NDArray[np.floating], cell: float, most: int) -> int:
    """Return the levels, at most `most`, of an octree around points (n, 3) whose finest cells are about `cell` wide, in their unit."""
    side = BOX * float((xyz.max(axis=0) - xyz.min(axis=0)).max())
    return min(max(round(math.log2(side / cell)), LEAST_LEVELS), most)


def _compared(scene: Scene, surface: Surface, progress: Progress) -> SurfaceEvidence:
    posed = scene.folder(estimate_poses.STAGE)
    cameras, sparse = CameraSet.load(posed).cameras, SparsePoints.load(posed)
    return wait_for(lambda check: compare(surface, cameras, sparse, posed, check), progress)


def _colour_sources(scene: Scene) -> list[ColourSource]:
    """Return the photos that have a depth map."""
    posed = scene.folder(estimate_poses.STAGE)
    cameras = CameraSet.load(posed).cameras
    maps = saved_maps(scene.folder(estimate_depth.STAGE))
    return [ColourSource(posed / cameras[number].file, cameras[number], path) for number, path in maps.items()]
