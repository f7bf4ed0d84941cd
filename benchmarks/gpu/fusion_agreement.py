"""Fusion of depth maps: the compiled code of a CPU against the tensors of a GPU, on the same maps.

The maps are the true ones with wrong, unknown and inexact pixels. Rounding decides a few pixels: shares and quantiles are compared.
"""

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from benchmarks.gpu.figures import Figure, quantile, share
from benchmarks.gpu.photographs import Photograph, moved
from benchmarks.gpu.tensor_code import code_of
from recon_worker.stages.depth.consistency import DepthMap, Opinions, SeenSurface
from recon_worker.stages.depth.free_space import Votes
from recon_worker.stages.depth.normals import REACH_PX, normals_of

BORDER_PX = REACH_PX + 1
"""Pixels nearer to the border have no normal that counts: tensors find one there, compiled code none, and neither is kept."""


def surface_normals(photos: Sequence[Photograph], device: torch.device) -> Iterator[Figure]:
    """Compare normals, and their cosines to the line of sight, of a depth map with holes and wrong pixels."""
    one = photos[0].measured(seed=1)
    normals, cosine = normals_of(one.points(), one.centre())
    with code_of(device):
        other_normals, other_cosine = (each.cpu() for each in normals_of(moved(one, device).points(), one.centre()))
    known, other_known = cosine != 0, other_cosine != 0
    both = known & other_known
    yield Figure(name="normals, share of pixels that have one on the CPU", value=share(known), at_least=0.1)
    yield Figure(
        name="normals, share of pixels with one by both or neither", value=share(known == other_known), at_least=0.999
    )
    yield from _compared("normals", (normals - other_normals)[:, both])
    yield from _compared("cosines", (cosine - other_cosine)[both])


def opinions(photos: Sequence[Photograph], device: torch.device) -> Iterator[Figure]:
    """Compare what other depth maps say about the surface of one."""
    maps = [photo.measured(seed) for seed, photo in enumerate(photos)]
    said = _opinions(maps)
    with code_of(device):
        other = _opinions([moved(each, device) for each in maps])
    inner = (slice(BORDER_PX, -BORDER_PX),) * 2
    count, other_count = said.count[inner], other.count.cpu()[inner]
    same = count == other_count
    change, other_change = said.mean_change()[inner][same], other.mean_change().cpu()[inner][same]
    neither = change.isnan() & other_change.isnan()
    difference = (change - other_change)[~neither]
    yield Figure(
        name="opinions, share of pixels of which any view agrees", value=share(count > 0), at_least=0.3, at_most=0.99
    )
    yield Figure(name="opinions, share of pixels with as many that agree", value=share(same), at_least=0.998)
    yield Figure(
        name="opinions, change of inverse depth, 99.9 % of differences", value=quantile(difference, 0.999), at_most=1e-5
    )


def votes(photos: Sequence[Photograph], device: torch.device) -> Iterator[Figure]:
    """Compare how many depth maps see a surface at the points of one, and how many see through them."""
    maps = [photo.measured(seed) for seed, photo in enumerate(photos)]
    points = maps[0].points().flatten(1).T
    points = points[points.isfinite().all(dim=1)]
    cast = _votes(points, maps)
    with code_of(device):
        other = _votes(points.to(device), [moved(each, device) for each in maps])
    for name, one, another in (
        ("support", cast.support, other.support),
        ("contradiction", cast.contradiction, other.contradiction),
    ):
        yield Figure(name=f"votes, mean {name} on the CPU", value=float(one.mean()), at_least=0.05)
        yield Figure(
            name=f"votes, share of points of the same {name}", value=share(one == another.cpu()), at_least=0.998
        )
    yield Figure(
        name="votes, share of points kept or left by both",
        value=share(cast.keep() == other.keep().cpu()),
        at_least=0.999,
    )


FUSION_CHECKS: tuple[Callable[[Sequence[Photograph], torch.device], Iterator[Figure]], ...] = (
    surface_normals,
    opinions,
    votes,
)


def _opinions(maps: Sequence[DepthMap]) -> Opinions:
    one, *others = maps
    points = one.points()
    surface = SeenSurface.of(points, normals_of(points, one.centre())[0], one.w, one.centre())
    found = Opinions.none(surface)
    for other in others:
        found.ask(surface, other)
    return found


def _votes(points: Tensor, maps: Sequence[DepthMap]) -> Votes:
    """Return the votes of all maps on points, (n, 3)."""
    found = Votes.none(len(points), points.device)
    for each in maps:
        found.add(points, each)
    return found


def _compared(name: str, difference: Tensor) -> Iterator[Figure]:
    """Yield the figures of a difference of unit vectors or cosines, (..., n)."""
    yield Figure(name=f"{name}, 99 % of differences", value=quantile(difference, 0.99), at_most=1e-3)
    yield Figure(name=f"{name}, 99.9 % of differences", value=quantile(difference, 0.999), at_most=1e-2)
