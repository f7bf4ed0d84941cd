"""Which parts of a surface are not there, for photos see what is behind them: webs between the spindles of a chair, a lid on a cup."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from recon_worker.progress import Progress
from recon_worker.stages.depth.consistency import SURE_SCORE, DepthMap
from recon_worker.stages.depth.free_space import Votes
from recon_worker.stages.estimate_depth import SavedDepth
from recon_worker.stages.parallel import device_in_use

LEAST_VIEWS = 2
"""Views that must see through a part: one may be wrong."""


def seen_through(xyz: npt.NDArray[np.float32], maps: Sequence[Path], progress: Progress) -> npt.NDArray[np.bool_]:
    """Say which points of a surface, (n, 3) in the world frame, photos see through: (n,).

    `maps` are the files of depth maps (`SavedDepth`). More of them must see something behind a point than see a surface there. Only
    depths that match well count.
    """
    device = device_in_use()
    points = torch.from_numpy(xyz).to(device)
    sure = (_sure(SavedDepth.load(file), device) for file in maps)
    votes = Votes.of(points, sure, len(maps), progress)
    through = (votes.contradiction >= LEAST_VIEWS) & (votes.contradiction > votes.support)
    said: npt.NDArray[np.bool_] = through.cpu().numpy()
    return said


def _sure(one: SavedDepth, device: torch.device) -> DepthMap:
    """Return a depth map with zeros where a depth is not sure."""
    sure = np.where(one.score >= SURE_SCORE, one.w, np.float32(0))
    return DepthMap(torch.from_numpy(sure).to(device), one.K, one.R, one.t)
