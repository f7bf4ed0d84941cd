"""A mesh prepared for pictures: its ray caster, and what of its shading is the same from every side."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recon_worker.geometry.ply import Surface
from recon_worker.rendering.ambient_occlusion import ambient_openness, smooth_over_mesh
from recon_worker.rendering.arrays import Floats, floats, unit_vectors
from recon_worker.rendering.ray_casting import Hits, RayCaster

OPENNESS_RAYS = 16
"""Rays from each vertex; the noise that is left goes by smoothing over the mesh."""

OPENNESS_REACH = 0.2
"""How far surroundings darken a vertex, as a share of the mesh's diagonal."""

SKY_HIGH, SKY_LOW = 1.02, 0.72
"""Light from straight above and from straight below, which a surface facing that way gets."""

KEY = 0.42
"""Light from the lamp beside the camera."""

KEY_PLACE = floats([-0.55, 0.55, -0.65])
"""Direction to that lamp in the camera's axes (right, up, forward)."""


@dataclass(frozen=True)
class ShadedMesh:
    """What the pictures are taken of."""

    vertices: Floats
    """(V, 3), +Y up."""
    triangles: npt.NDArray[np.int32]
    """(F, 3)."""
    normals: Floats
    """(V, 3) unit vectors."""
    reflected: Floats
    """(V, 3) linear RGB under the light of the sky alone, creases darkened."""
    albedo: Floats
    """(V, 3) linear RGB of the surface, creases darkened half as much: what the lamp falls on."""
    caster: RayCaster
    from_inside: bool = False
    """Whether only fronts of triangles are seen, so that the nearer walls of a room do not hide it."""

    @property
    def diagonal(self) -> float:
        """Length of the diagonal of the box around the mesh."""
        return float(np.linalg.norm(self.vertices.max(axis=0) - self.vertices.min(axis=0)))

    def first_hits(self, origins: npt.NDArray[np.floating], directions: npt.NDArray[np.floating]) -> Hits:
        """Return what is seen along rays from origins (n, 3) in directions (n, 3)."""
        cast = self.caster.cast_at_fronts if self.from_inside else self.caster.cast
        return cast(origins, directions)

    def colours_from(self, axes: Floats) -> Floats:
        """Return linear RGB (V, 3) of the vertices, lit by the sky and by the lamp of a camera with these axes (3, 3)."""
        lamp = (KEY_PLACE / np.linalg.norm(KEY_PLACE)) @ axes
        facing = np.maximum(self.normals @ lamp.astype(np.float32), 0) * np.float32(KEY)
        return self.reflected + facing[:, None] * self.albedo


def prepare(surface: Surface, on_round: Callable[[float], None], *, from_inside: bool = False) -> ShadedMesh:
    """Return the mesh ready for pictures, of its fronts alone where it is seen `from_inside`; `on_round` gets the fraction done."""
    on_round(0.0)
    caster = RayCaster(surface.xyz, surface.faces)
    normals = unit_vectors(surface.normals)
    extent = float(np.linalg.norm(surface.xyz.max(axis=0) - surface.xyz.min(axis=0)))
    openness = ambient_openness(
        caster, surface.xyz, normals, reach=OPENNESS_REACH * extent, ray_count=OPENNESS_RAYS, on_round=on_round
    )
    openness = smooth_over_mesh(openness, surface.faces, 2)[:, None]
    albedo = (surface.rgb.astype(np.float32) / 255) ** np.float32(2.2)
    upward = np.float32(0.5) + np.float32(0.5) * normals[:, 1:2]
    sky = np.float32(SKY_LOW) + np.float32(SKY_HIGH - SKY_LOW) * upward
    # The photos' own shadows are in the colours already, so creases get no darker than to about a third.
    dimmed = np.float32(0.35) + np.float32(0.65) * openness
    reflected, lamp_lit = floats(albedo * sky * dimmed), floats(albedo * (0.5 + dimmed / 2))
    return ShadedMesh(surface.xyz, surface.faces, normals, reflected, lamp_lit, caster, from_inside)
