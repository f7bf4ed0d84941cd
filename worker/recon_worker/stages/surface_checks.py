"""Whether a mesh shows what the photos show: it is rendered into them, and compared with the points that placed them.

Debris gets colours from the photos too, but each photo sees other parts of it, so what comes of their mean resembles none.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.spatial import cKDTree

from recon_api import reasons
from recon_api.errors import UsageError
from recon_worker.geometry.cameras import PlacedCamera, pinhole_rays
from recon_worker.geometry.ply import Surface
from recon_worker.rendering.ray_casting import RayCaster
from recon_worker.stages.background import Check
from recon_worker.stages.estimate_poses import SparsePoints
from recon_worker.stages.object_region import trusted_points

VIEWS = 12
"""Photos into which the mesh is rendered, spread evenly over all."""

RENDERED_PX = 160
"""Longer side of those pictures: enough to distinguish a thing from debris, in a tenth of a second."""

LEAST_PIXELS = 100
"""That a mesh must cover of such a picture for a comparison."""

ON_SURFACE = 0.02
"""Distance, as a share of the diagonal of the mesh, within which a point lies on it."""

LEAST_COVERED, LEAST_EXPLAINED, LEAST_AGREEMENT = 0.005, 0.03, 0.3
"""Of a mesh that is worth something. Debris was seen to have 0.001, 0.0 and 0.0; good meshes 0.15, 0.52 and 0.70 at least."""


@dataclass(frozen=True)
class SurfaceEvidence:
    """What speaks for a mesh, each from 0 to 1."""

    explained: float
    """Share of the trusted sparse points that lie on it."""
    covered: float
    """Share of a photo that it covers, in the median."""
    agreement: float
    """Correlation between the brightness of a photo and of the mesh rendered into it, in the median; 0 where it covers none."""


FAULTS: tuple[tuple[Callable[[SurfaceEvidence], bool], str], ...] = (
    (lambda evidence: evidence.covered < LEAST_COVERED, "covers hardly anything of any photo"),
    (lambda evidence: evidence.explained < LEAST_EXPLAINED, "holds hardly any of the points that the photos share"),
    (lambda evidence: evidence.agreement < LEAST_AGREEMENT, "looks like none of the photos"),
)
"""What is wrong with debris, in the order in which it is said."""


def require_measured(evidence: SurfaceEvidence) -> None:
    """Raise UsageError(SURFACE_NOT_MEASURED) where the mesh is debris, or shows hardly anything of what the photos show."""
    found = next((words for holds, words in FAULTS if holds(evidence)), None)
    if found:
        raise UsageError(
            reasons.SURFACE_NOT_MEASURED,
            f"the photos were placed, but the mesh that came of them {found}; take photos closer together, all around one object "
            "that is in the middle of each, in even light; a plain, shiny or transparent object cannot be measured",
        )


def compare(
    surface: Surface, cameras: Sequence[PlacedCamera], sparse: SparsePoints, folder: Path, check: Check
) -> SurfaceEvidence:
    """Return what speaks for a mesh; `folder` is the artefact of the cameras, with their undistorted photos."""
    caster, brightness = RayCaster(surface.xyz, surface.faces), _luminance(surface.rgb)
    chosen = cameras[:: max(1, len(cameras) // VIEWS)]
    seen = []
    for camera in chosen:
        check()
        seen.append(_compared(caster, surface, brightness, camera, folder))
    return SurfaceEvidence(
        explained=_explained(surface, sparse),
        covered=float(np.median([covered for covered, _ in seen])),
        agreement=float(np.median([agreement for _, agreement in seen])),
    )


def _compared(
    caster: RayCaster, surface: Surface, brightness: npt.NDArray[np.float64], camera: PlacedCamera, folder: Path
) -> tuple[float, float]:
    """Return the share of a photo that the mesh covers, and the correlation of the two there; `brightness` is of its vertices, (n,)."""
    scale = min(1.0, RENDERED_PX / max(camera.width, camera.height))
    width, height = max(1, round(scale * camera.width)), max(1, round(scale * camera.height))
    with Image.open(folder / camera.file) as photo:
        pixels = np.asarray(photo.convert("L").resize((width, height), Image.Resampling.BOX), np.float64).ravel()
    across, down = width / camera.width, height / camera.height
    intrinsics = camera.fx * across, camera.fy * down, camera.cx * across, camera.cy * down
    rays = pinhole_rays(width, height, intrinsics)
    hits = caster.cast(np.tile(camera.centre(), (len(rays), 1)), rays @ camera.rotation())
    found = hits.mask
    if found.sum() < LEAST_PIXELS:
        return float(found.mean()), 0.0
    rendered = (brightness[surface.faces[hits.triangle[found]]] * hits.weights[found]).sum(axis=1)
    return float(found.mean()), _correlation(rendered, pixels[found])


def _correlation(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> float:
    """Return Pearson's correlation of two rows (n,); 1 where both are plain, as nothing then speaks against it."""
    deviations = [values - values.mean() for values in (one, other)]
    spread = float(np.sqrt(np.prod([np.mean(deviation**2) for deviation in deviations])))
    return 1.0 if spread < 1.0 else float(np.mean(deviations[0] * deviations[1]) / spread)


def _explained(surface: Surface, sparse: SparsePoints) -> float:
    trusted = trusted_points(sparse.xyz, sparse.tracks)
    if not len(trusted):
        return 1.0
    diagonal = float(np.linalg.norm(surface.xyz.max(axis=0) - surface.xyz.min(axis=0)))
    distances, _ = cKDTree(surface.xyz).query(trusted, distance_upper_bound=ON_SURFACE * diagonal)
    return float(np.isfinite(distances).mean())


def _luminance(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """Return the brightness of sRGB colours (n, 3), (n,), 0 to 255, by the weights of ITU-R BT.601."""
    return np.asarray(rgb @ np.array([0.299, 0.587, 0.114]))
