"""What a photo set is made of."""

from collections.abc import Callable
from dataclasses import dataclass

from recon_dev.ground_truth.cameras import TrueCamera
from recon_dev.ground_truth.scenes.capture import Capture
from recon_dev.ground_truth.scenes.scene import Scene
from recon_dev.ground_truth.surface_distance import STANDARD_PROTOCOL, SurfaceProtocol

Viewpoints = Callable[[tuple[int, int], float], tuple[TrueCamera, ...]]
"""From the photos' width and height and the focal length, in pixels, to the cameras."""


@dataclass(frozen=True)
class SceneSet:
    """A scene, where photos of it are taken from, and how. The same set gives the same files."""

    name: str
    build: Callable[[float], Scene]
    """From a coarseness, at least 1, to the scene: cells of meshes and textures are so much wider than usual."""
    viewpoints: Viewpoints
    size: tuple[int, int]
    """Width and height of the photos in pixels."""
    capture: Capture
    seed: int
    coarseness: float = 1.0
    protocol: SurfaceProtocol = STANDARD_PROTOCOL

    def scene(self) -> Scene:
        """Return the scene, not lit yet."""
        return self.build(self.coarseness)

    def cameras(self) -> tuple[TrueCamera, ...]:
        """Return the camera of each photo."""
        return self.viewpoints(self.size, self.capture.focal_px(self.size))
