"""What a photo shows: parts with their paint, in their light, before their surroundings."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recon_dev.ground_truth.scenes.lighting import Lighting, bake
from recon_dev.ground_truth.scenes.meshes import join
from recon_dev.ground_truth.shape import Mesh
from recon_worker.rendering.arrays import Floats
from recon_worker.rendering.ray_casting import RayCaster


@dataclass(frozen=True)
class SurfacePoints:
    """Points of one part that rays met."""

    points: Floats
    """(n, 3) in the scene's frame."""
    normals: Floats
    """(n, 3) unit vectors, on the side of the ray."""
    footprint: Floats
    """(n,) how wide a pixel is on the surface, in the scene's unit."""


@dataclass(frozen=True)
class Paint:
    """What the surface is like at points."""

    albedo: Floats
    """(n, 3) linear RGB."""
    gloss: Floats
    """(n,) share of the mirror's reflection, 0 (matt) to 1 (glazed)."""


Painter = Callable[[SurfacePoints], Paint]
Surroundings = Callable[[Floats], Floats]
"""From unit directions (n, 3) to linear RGB (n, 3)."""


@dataclass(frozen=True)
class Part:
    """One mesh with one kind of paint."""

    mesh: Mesh
    painter: Painter
    is_truth: bool = True
    """Whether it belongs to `gt.ply`: a reconstruction is asked for it."""


@dataclass(frozen=True)
class Scene:
    """All that can be seen."""

    parts: tuple[Part, ...]
    lighting: Lighting
    surroundings: Surroundings
    """What is seen along unit directions (n, 3) where there is no part."""
    reflections: Surroundings
    """What glossy parts reflect along unit directions (n, 3); the parts themselves are not reflected."""

    def truth(self) -> Mesh:
        """Return the surface that a reconstruction is asked for."""
        return join([part.mesh for part in self.parts if part.is_truth])


@dataclass(frozen=True)
class LitScene:
    """A scene made ready for rays."""

    scene: Scene
    caster: RayCaster
    triangles: NDArray[np.int32]
    """(F, 3) indices of vertices, of all parts."""
    part: NDArray[np.int16]
    """(F,) the part of each triangle."""
    attributes: Floats
    """(V, 7) of each vertex: normal, light in linear RGB, openness."""


def light_scene(scene: Scene) -> LitScene:
    """Bake the light into the vertices of all parts."""
    mesh = join([part.mesh for part in scene.parts])
    caster = RayCaster(mesh.vertices, mesh.triangles)
    light, openness = bake(scene.lighting, caster, mesh)
    attributes = np.concatenate([mesh.normals, light, openness[:, None]], axis=1)
    counts = [len(part.mesh.triangles) for part in scene.parts]
    part = np.repeat(np.arange(len(counts), dtype=np.int16), counts)
    return LitScene(scene, caster, mesh.triangles, part, attributes.astype(np.float32))
