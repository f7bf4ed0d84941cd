"""Finding each point of placed photos again in all of them, by a patch of the photo that sees it from the front."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from recon_worker.progress import Progress
from recon_worker.stages.background import Check
from recon_worker.stages.parallel import device_in_use, for_each
from recon_worker.stages.tracks.patches import MARGIN_PX, align, cut_out
from recon_worker.tools.tracks import Tracks

LEAST_SCORE = 0.8
"""Correlation of a patch with its template with which it is found."""

FARTHEST_PX = 4.0
"""Distance from a feature at which its patch is found: farther away it is another thing that looks alike."""

LEAST_FOUND = 30
"""A photo in which fewer are found keeps all of its observations where they are: something must hold it."""

UNDISTORTION_ROUNDS = 10
"""Of the fixed-point iteration that removes a radial distortion: exact to a thousandth of a pixel where it is usual."""

AT_ONCE = 512
"""Patches that are aligned between two looks at the order to stop."""


@dataclass(frozen=True)
class MovedTracks:
    """Where the observations of tracks are to be, and which of them."""

    places: npt.NDArray[np.float64]
    """(m, 2) pixels."""
    kept: npt.NDArray[np.bool_]
    """(m,)"""

    @property
    def share(self) -> float:
        """Share that is kept."""
        return float(self.kept.mean()) if len(self.kept) else 0.0

    def save(self, path: Path) -> None:
        """Write them into a file."""
        np.savez(path, places=self.places, kept=self.kept)


def align_tracks(tracks: Tracks, images: Path, progress: Progress) -> MovedTracks:
    """Return where patches of the observations are found in the photos, which are files under `images`."""
    device = device_in_use()
    surfaces = _Surfaces.of(tracks)
    side = 2 * MARGIN_PX + 1
    templates = torch.zeros(len(tracks.xyz), side * side, device=device)
    is_front = np.zeros(len(tracks.places), dtype=bool)
    is_front[surfaces.front] = True
    places, found = tracks.places.copy(), is_front.copy()
    of_camera = [np.flatnonzero(tracks.cameras == camera) for camera in range(len(tracks.names))]

    def cut(camera: int, _: Check) -> None:
        fronts = of_camera[camera][is_front[of_camera[camera]]]
        points = tracks.points[fronts]
        axes = surfaces.seen_by(camera, points)[1]
        image = _luminance(images / tracks.names[camera], device)
        templates[points] = cut_out(image, _tensor(tracks.places[fronts], device), _tensor(axes, device))

    def find(camera: int, check: Check) -> None:
        image = _luminance(images / tracks.names[camera], device)
        others = of_camera[camera][~is_front[of_camera[camera]]]
        for some in np.array_split(others, -(-len(others) // AT_ONCE) or 1):
            check()
            points = tracks.points[some]
            centres, axes = surfaces.seen_by(camera, points)
            moved, score = align(image, templates[points], _tensor(centres, device), _tensor(axes, device))
            moved_to = moved.cpu().numpy().astype(np.float64)
            near = np.linalg.norm(moved_to - tracks.places[some], axis=-1) < FARTHEST_PX
            found[some] = near & (score.cpu().numpy() > LEAST_SCORE)
            places[some] = np.where(found[some, None], moved_to, tracks.places[some])

    for_each(range(len(tracks.names)), cut, device, progress.part(0.0, 0.3))
    for_each(range(len(tracks.names)), find, device, progress.part(0.3, 1.0))
    return MovedTracks(places, _kept(found, of_camera))


def _kept(found: npt.NDArray[np.bool_], of_camera: list[npt.NDArray[np.int64]]) -> npt.NDArray[np.bool_]:
    kept = found.copy()
    for observations in of_camera:
        if found[observations].sum() < LEAST_FOUND:
            kept[observations] = True
    return kept


@dataclass(frozen=True)
class _Surfaces:
    """A small plane through each point, facing the cameras that see it."""

    tracks: Tracks
    front: npt.NDArray[np.int64]
    """(p,) observation of each point that sees it most from the front."""
    centres: npt.NDArray[np.float64]
    """(p, 3) the point of the plane that the front observation sees."""
    axes: npt.NDArray[np.float64]
    """(p, 2, 3) along the plane, a pixel of the front observation long."""

    @classmethod
    def of(cls, tracks: Tracks) -> "_Surfaces":
        """Lay them through the points of tracks."""
        eyes = -np.einsum("cji,cj->ci", tracks.rotations, tracks.translations)
        away = eyes[tracks.cameras] - tracks.xyz[tracks.points]
        distance = np.linalg.norm(away, axis=-1)
        towards = away / distance[:, None]
        normals = np.zeros_like(tracks.xyz)
        np.add.at(normals, tracks.points, towards)
        normals /= np.linalg.norm(normals, axis=-1, keepdims=True).clip(1e-9)
        facing = np.einsum("mi,mi->m", towards, normals[tracks.points])
        by_point = np.lexsort((-facing, tracks.points))
        front = by_point[np.flatnonzero(np.diff(tracks.points[by_point], prepend=-1))]
        cameras = tracks.cameras[front]
        pixel = distance[front] / tracks.intrinsics[cameras, 0]
        across = tracks.rotations[cameras, 0]
        first = across - np.einsum("pi,pi->p", across, normals)[:, None] * normals
        first /= np.linalg.norm(first, axis=-1, keepdims=True)
        axes = np.stack((first, np.cross(normals, first)), axis=1) * pixel[:, None, None]
        return cls(tracks, front, _on_rays(tracks, front), axes)

    def seen_by(
        self, camera: int, points: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return where a camera sees planes, (n,): the middle, (n, 2), and axes, (n, 2, 2) as columns, in pixels."""
        middle = self.centres[points]
        ends = middle[:, None] + self.axes[points]
        seen = _project(self.tracks, camera, np.concatenate((middle[:, None], ends), axis=1))
        return seen[:, 0], (seen[:, 1:] - seen[:, :1]).transpose(0, 2, 1)


def _project(tracks: Tracks, camera: int, xyz: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return where a camera sees points, (..., 3): (..., 2) pixels."""
    focal, centre_x, centre_y, radial = tracks.intrinsics[camera]
    own = xyz @ tracks.rotations[camera].T + tracks.translations[camera]
    flat = own[..., :2] / own[..., 2:]
    distortion = 1 + radial * np.square(flat).sum(-1, keepdims=True)
    return np.asarray(focal * flat * distortion + (centre_x, centre_y))


def _on_rays(tracks: Tracks, front: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return each point, (p, 3), moved at its depth to where its front observation, (p,), sees it."""
    cameras, points = tracks.cameras[front], tracks.points[front]
    rotations, translations = tracks.rotations[cameras], tracks.translations[cameras]
    own = np.einsum("pij,pj->pi", rotations, tracks.xyz[points]) + translations
    intrinsics = tracks.intrinsics[cameras]
    distorted = (tracks.places[front] - intrinsics[:, 1:3]) / intrinsics[:, :1]
    flat = distorted
    for _ in range(UNDISTORTION_ROUNDS):
        flat = distorted / (1 + intrinsics[:, 3:] * np.square(flat).sum(-1, keepdims=True))
    moved = np.concatenate((flat, np.ones((len(flat), 1))), axis=1) * own[:, 2:]
    return np.asarray(np.einsum("pji,pj->pi", rotations, moved - translations))


def _luminance(path: Path, device: torch.device) -> Tensor:
    """Return a photo, (h, w), 0 to 1, a little blurred: noise of single pixels is no pattern."""
    with Image.open(path) as photo:
        photo.draft("L", photo.size)
        grey = torch.from_numpy(np.array(photo.convert("L"), dtype=np.float32)).to(device)
    image = functional.pad(grey[None, None], (1, 1, 1, 1), mode="replicate")[0, 0]
    across = image[:, :-2] + 2 * image[:, 1:-1] + image[:, 2:]
    return (across[:-2] + 2 * across[1:-1] + across[2:]).div_(16 * 255)


def _tensor(values: npt.NDArray[np.float64], device: torch.device) -> Tensor:
    return torch.from_numpy(values.astype(np.float32)).to(device)
