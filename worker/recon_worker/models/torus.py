"""The synthetic scene: a coloured torus around the z axis, as points, as a mesh and as a picture."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from recon_worker.geometry.glb import write_glb
from recon_worker.geometry.ply import NO_FACES, Surface, write_ply

MAJOR_RADIUS, MINOR_RADIUS = 1.0, 0.4
"""Of the ring and of its tube, in the scene's unit."""

RINGS, SEGMENTS = 96, 48
"""Samples around the ring and around the tube."""

PREVIEW_PX = 400

_POINTS = "points.npz"
_MESH = "mesh.npz"

Floats = npt.NDArray[np.float32]


def write_points(folder: Path) -> int:
    """Write positions, normals and colours of the samples on the torus; return how many."""
    xyz, normals = sample(RINGS, SEGMENTS)
    np.savez(folder / _POINTS, xyz=xyz, normals=normals, rgb=colours(normals))
    return len(xyz)


def write_mesh(folder: Path) -> int:
    """Write the triangles between the samples; return how many."""
    ring, segment = np.divmod(np.arange(RINGS * SEGMENTS), SEGMENTS)
    next_ring, next_segment = (ring + 1) % RINGS, (segment + 1) % SEGMENTS
    a, b = ring * SEGMENTS + segment, next_ring * SEGMENTS + segment
    c, d = next_ring * SEGMENTS + next_segment, ring * SEGMENTS + next_segment
    faces = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)]).astype(np.int32)
    np.savez(folder / _MESH, faces=faces)
    return len(faces)


def export(points: Path, mesh: Path, folder: Path) -> None:
    """Write `mesh.glb`, `points.ply` and `preview.png`."""
    with np.load(points / _POINTS) as cloud, np.load(mesh / _MESH) as triangles:
        xyz, normals, rgb, faces = cloud["xyz"], cloud["normals"], cloud["rgb"], triangles["faces"]
    to_y_up = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], np.float32)  # of row vectors: z becomes glTF's y
    turned = Surface(xyz @ to_y_up, normals @ to_y_up, rgb, faces)
    write_glb(folder / "mesh.glb", turned)
    write_ply(folder / "points.ply", Surface(xyz, normals, rgb, NO_FACES))
    Image.fromarray(picture()).save(folder / "preview.png")


def sample(rings: int, segments: int) -> tuple[Floats, Floats]:
    """Return positions and unit normals, (n, 3) each, n = rings x segments, the tube's samples running fastest.

    The torus' frame is right-handed with z up along its axis.
    """
    around = np.linspace(0, 2 * np.pi, rings, endpoint=False)[:, None]
    tube = np.linspace(0, 2 * np.pi, segments, endpoint=False)[None]
    outward = np.cos(tube)
    normals = np.stack(
        np.broadcast_arrays(np.cos(around) * outward, np.sin(around) * outward, np.sin(tube)), axis=-1
    ).reshape(-1, 3)
    centres = np.stack(np.broadcast_arrays(np.cos(around), np.sin(around), 0 * tube + 0 * around), -1).reshape(-1, 3)
    return (MAJOR_RADIUS * centres + MINOR_RADIUS * normals).astype(np.float32), normals.astype(np.float32)


def colours(normals: Floats) -> npt.NDArray[np.uint8]:
    """Return sRGB colours (n, 3) of unit normals (n, 3): the direction of the surface as RGB."""
    return ((normals + 1) * 127.5).astype(np.uint8)


def picture() -> npt.NDArray[np.uint8]:
    """Return the torus seen from 45 degrees above, in parallel projection: sRGB, (PREVIEW_PX, PREVIEW_PX, 3)."""
    xyz, normals = sample(1200, 500)
    half = np.sqrt(0.5)
    up = half * (xyz[:, 1] + xyz[:, 2])
    depth = half * (xyz[:, 2] - xyz[:, 1])
    scale = 0.45 * PREVIEW_PX / (MAJOR_RADIUS + MINOR_RADIUS)
    column = (PREVIEW_PX / 2 + scale * xyz[:, 0]).astype(np.int32)
    row = (PREVIEW_PX / 2 - scale * up).astype(np.int32)
    nearest_last = np.argsort(depth)
    image = np.full((PREVIEW_PX, PREVIEW_PX, 3), 255, np.uint8)
    image[row[nearest_last], column[nearest_last]] = colours(normals[nearest_last])
    return image
