"""Meshes of known shape and colour, and scenes in which a mesh is finished."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import trimesh

from recon_worker.geometry.cameras import CameraSet, PlacedCamera
from recon_worker.geometry.ply import NO_FACES, Surface, write_ply
from recon_worker.rendering.arrays import floats
from recon_worker.rendering.views import axes_facing, direction_of
from recon_worker.scene import Scene

FACE_COLOURS = {
    (1, 0, 0): (220, 30, 30),
    (-1, 0, 0): (30, 200, 200),
    (0, 1, 0): (30, 200, 30),
    (0, -1, 0): (200, 30, 200),
    (0, 0, 1): (40, 40, 230),
    (0, 0, -1): (210, 200, 30),
}
"""sRGB of a cube's faces by their outward normals."""


def make_ball(radius: float = 1.0, subdivisions: int = 4, rgb: tuple[int, int, int] = (190, 120, 60)) -> Surface:
    """Return a closed ball about the origin in one colour."""
    mesh = trimesh.creation.icosphere(subdivisions=subdivisions, radius=radius)
    return make_surface(mesh, np.broadcast_to(rgb, mesh.vertices.shape))


def make_cube(side: float = 1.0, cells: int = 8) -> Surface:
    """Return a cube about the origin whose faces have the colours `FACE_COLOURS`, with corners of their own."""
    parts = [_square(np.array(normal), side, cells, colour) for normal, colour in FACE_COLOURS.items()]
    offsets = np.cumsum([0] + [len(part.xyz) for part in parts])[:-1]
    return Surface(
        xyz=np.concatenate([part.xyz for part in parts]),
        normals=np.concatenate([part.normals for part in parts]),
        rgb=np.concatenate([part.rgb for part in parts]),
        faces=np.concatenate([part.faces + np.int32(offset) for part, offset in zip(parts, offsets, strict=True)]),
    )


def make_surface(mesh: trimesh.Trimesh, rgb: npt.ArrayLike) -> Surface:
    """Return a mesh with colours (V, 3) as the artefact has it."""
    return Surface(
        xyz=floats(mesh.vertices),
        normals=floats(mesh.vertex_normals),
        rgb=np.array(rgb, dtype=np.uint8),
        faces=np.asarray(mesh.faces, dtype=np.int32),
    )


def finished_scene(
    root: Path, surface: Surface, azimuths_deg: tuple[float, ...] = (0, 90, 180, 270), region: str = "object"
) -> Scene:
    """Return a scene whose mesh is `surface`, photographed from 20 degrees above at those azimuths."""
    scene = Scene(root)
    with scene.writing("estimate_depth", "test") as (_, report):
        report["region"] = region
    with scene.writing("build_mesh", "test") as (folder, _):
        write_ply(folder / "mesh.ply", surface)
    with scene.writing("fuse_depths", "test") as (folder, _):
        write_ply(folder / "points.ply", Surface(surface.xyz, surface.normals, surface.rgb, NO_FACES))
    with scene.writing("estimate_poses", "test") as (folder, _):
        CameraSet(cameras=tuple(_camera(azimuth) for azimuth in azimuths_deg)).save(folder)
    return scene


def _square(normal: npt.NDArray[np.int_], side: float, cells: int, rgb: tuple[int, int, int]) -> Surface:
    """Return a grid of `cells` by `cells` squares, facing outwards at half a side from the origin."""
    across = np.roll(normal, 1)
    up = np.cross(normal, across)
    ticks = np.linspace(-0.5, 0.5, cells + 1)
    u, v = (axis.ravel() for axis in np.meshgrid(ticks, ticks))
    xyz = side * (normal * 0.5 + u[:, None] * across + v[:, None] * up)
    corner = (np.arange(cells)[:, None] * (cells + 1) + np.arange(cells)).ravel()
    first = np.stack([corner, corner + 1, corner + cells + 2], axis=1)
    second = np.stack([corner, corner + cells + 2, corner + cells + 1], axis=1)
    return Surface(
        xyz=floats(xyz),
        normals=floats(np.broadcast_to(normal, xyz.shape)),
        rgb=np.array(np.broadcast_to(rgb, xyz.shape), dtype=np.uint8),
        faces=np.concatenate([first, second]).astype(np.int32),
    )


def _camera(azimuth_deg: float, distance: float = 4.0) -> PlacedCamera:
    direction = direction_of(float(np.radians(azimuth_deg)), float(np.radians(20.0)))
    right, up, forward = axes_facing(direction).astype(float)
    rotation = np.stack([right, -up, forward])
    return PlacedCamera(
        name=f"{azimuth_deg:.0f}.jpg",
        file=f"images/{azimuth_deg:.0f}.jpg",
        width=640,
        height=480,
        fx=700,
        fy=700,
        cx=320,
        cy=240,
        R=rotation.tolist(),
        t=(-rotation @ (distance * direction)).tolist(),
    )
