"""What a job can ask of `multiview`, and what each quality means in numbers."""

from dataclasses import dataclass
from enum import StrEnum

from recon_api.base import ApiModel
from recon_api.spec import NoTexture, Parameters, Quality
from recon_worker.stages.scene_region import RegionMode


@dataclass(frozen=True)
class Preset:
    """The numbers behind a quality."""

    photo_px: int
    """Longer side, in pixels, to which photos are scaled down, where the job names none."""
    depth_px: int
    """Pixels across the object in a depth map."""
    planes: int
    """Inverse-depth hypotheses of the plane sweep."""
    sources: int
    """Views that each view is compared with."""
    surface_cell: float
    """Finest cells of the surface reconstruction's octree, in spacings of the points."""
    octree_levels: int
    """Levels of that octree at most: its time and memory grow with its cells."""
    faces: int
    """Triangles of the finished mesh."""


PRESETS = {
    Quality.DRAFT: Preset(
        photo_px=1200, depth_px=480, planes=48, sources=6, surface_cell=1.6, octree_levels=8, faces=60_000
    ),
    Quality.STANDARD: Preset(
        photo_px=1600, depth_px=800, planes=64, sources=8, surface_cell=1.6, octree_levels=9, faces=150_000
    ),
    Quality.HIGH: Preset(
        photo_px=2400, depth_px=1200, planes=96, sources=8, surface_cell=1.2, octree_levels=10, faces=400_000
    ),
}
"""Chosen for two CPU cores."""


class RegionChoice(ApiModel):
    """`spec.parameters.region`."""

    mode: RegionMode = RegionMode.AUTO
    """object: what the photos are taken around. full: all that they show. auto: the object, where there is one."""


class Ground(StrEnum):
    """`spec.parameters.ground`."""

    KEEP = "keep"
    REMOVE = "remove"


class MultiViewParameters(Parameters):
    """`spec.parameters` of a job with `model: multiview`: those of every model, with the same limits, and no others."""

    model_config = ApiModel.model_config

    texture: NoTexture | None = None
    """Not available yet: true is refused."""
    region: RegionChoice = RegionChoice()
    """What is reconstructed."""
    ground: Ground = Ground.KEEP
    """keep: what the object stands on is part of the model. remove: it is not, as far as it is level and flat."""
    closed: bool = False
    """Whether the mesh is a watertight manifold, without a hole, as 3D printing needs it."""

    @property
    def preset(self) -> Preset:
        """Return the numbers behind the quality."""
        return PRESETS[self.quality]

    @property
    def photo_px(self) -> int:
        """Return the longer side of the photos that are worked on; what the job asks for goes before the quality's own."""
        return self.max_image_size or self.preset.photo_px

    @property
    def depth_px(self) -> int:
        """Return the pixels across the object in a depth map, which larger photos do not raise: they cost their square."""
        return min(self.preset.depth_px, self.photo_px)

    @property
    def faces(self) -> int:
        """Return the number of triangles of the finished mesh at most."""
        return self.target_faces or self.preset.faces
