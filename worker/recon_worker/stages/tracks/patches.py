"""Aligning small patches of photos with a template, by the inverse compositional Lucas-Kanade method.

Baker and Matthews, "Lucas-Kanade 20 Years On: A Unifying Framework", IJCV 56(3), 2004.
"""

import torch
from torch import Tensor
from torch.nn import functional

from recon_worker.stages.tracks.compiled_patches import align_patches

RADIUS_PX = 7
"""Patches are 15 pixels wide."""

SIDE = 2 * RADIUS_PX + 1

SHIFT_ROUNDS, AFFINE_ROUNDS = 4, 6
"""First only the place is looked for, then also how the patch is turned, sheared and scaled."""

VARIANCE_FLOOR = 1e-5
"""Added to the variance of a patch (luminance 0 to 1): a deviation of nearly one grey level."""

DAMPING = 1e-3
"""Added to the diagonal of each normal matrix, as a share of it: an edge leaves open where along it a patch is."""

LARGEST_STEP = 1.0
"""Of a round, in pixels of the template."""

LARGEST_CHANGE = 0.3
"""Of a round, of each number of an affine map that is no shift."""

MARGIN_PX = RADIUS_PX + 1
"""Templates are cut out with one pixel more on each side, for their gradients."""


def cut_out(image: Tensor, centres: Tensor, axes: Tensor) -> Tensor:
    """Return templates, (n, k) with k = (SIDE + 2)^2, of mean 0 and deviation 1.

    Args:
        image: (h, w) luminance, 0 to 1.
        centres: (n, 2) pixels; the corner of the first pixel is 0, 0.
        axes: (n, 2, 2), the columns of which are the template's x and y axes, in pixels.
    """
    return _normal(_sampled(image, centres, axes, _offsets(MARGIN_PX, image.device)))


def align(image: Tensor, templates: Tensor, centres: Tensor, axes: Tensor) -> tuple[Tensor, Tensor]:
    """Find each template near its place in an image, (h, w).

    Args:
        image: (h, w) luminance, 0 to 1.
        templates: (n, k), as `cut_out` makes them.
        centres: (n, 2), where each should be, in pixels; the corner of the first pixel is 0, 0.
        axes: (n, 2, 2), the columns of which are the template's x and y axes there, in pixels.

    Returns:
        (n, 2), where each was found, and (n,), the correlation with what is there, -1 to 1.
    """
    find = _align_on_cpu if image.device.type == "cpu" else align_by_tensors
    return find(image, templates, centres, axes)


def _align_on_cpu(image: Tensor, templates: Tensor, centres: Tensor, axes: Tensor) -> tuple[Tensor, Tensor]:
    """Do the same, with templates (n, k), centres (n, 2) and axes (n, 2, 2), by compiled code."""
    template, steepest = _with_steepest(templates)
    moved, score = torch.empty_like(centres), torch.empty(len(centres))
    align_patches(
        image.numpy(),
        template.numpy(),
        steepest.transpose(1, 2).contiguous().numpy(),
        (_solver(steepest[..., 4:]).contiguous().numpy(), _solver(steepest).contiguous().numpy()),
        centres.numpy(),
        axes.contiguous().numpy(),
        (SHIFT_ROUNDS, AFFINE_ROUNDS),
        (LARGEST_STEP, LARGEST_CHANGE * RADIUS_PX, VARIANCE_FLOOR),
        moved.numpy(),
        score.numpy(),
    )
    return moved, score


def align_by_tensors(image: Tensor, templates: Tensor, centres: Tensor, axes: Tensor) -> tuple[Tensor, Tensor]:
    """Do the same, with templates (n, k), centres (n, 2) and axes (n, 2, 2), on any device."""
    offsets = _offsets(RADIUS_PX, image.device)
    template, steepest = _with_steepest(templates)
    warp = torch.eye(3, device=image.device).repeat(len(centres), 1, 1)
    for rounds, free in ((SHIFT_ROUNDS, slice(4, 6)), (AFFINE_ROUNDS, slice(0, 6))):
        directions = steepest[..., free]
        solve = _solver(directions)
        for _ in range(rounds):
            error = _normal(_warped(image, centres, axes, warp, offsets)) - template
            step = (solve @ (directions.transpose(1, 2) @ error[..., None])).squeeze(-1)
            warp = warp @ torch.linalg.inv(_warp_of(step))
    score = (_normal(_warped(image, centres, axes, warp, offsets)) * template).mean(-1)
    return centres + (axes @ warp[:, :2, 2:]).squeeze(-1), score


def _with_steepest(templates: Tensor) -> tuple[Tensor, Tensor]:
    """Return the inner part of templates, (n, k), and how each of the k = SIDE^2 pixels changes with an affine warp, (n, k, 6)."""
    square = templates.view(-1, 2 * MARGIN_PX + 1, 2 * MARGIN_PX + 1)
    inner = square[:, 1:-1, 1:-1].flatten(1)
    deviation = _deviation(inner)
    along_x = (square[:, 1:-1, 2:] - square[:, 1:-1, :-2]).flatten(1) / (2 * deviation)
    along_y = (square[:, 2:, 1:-1] - square[:, :-2, 1:-1]).flatten(1) / (2 * deviation)
    template = _normal(inner)
    x, y = (_offsets(RADIUS_PX, templates.device) / RADIUS_PX).unbind(-1)
    steepest = torch.stack((along_x * x, along_y * x, along_x * y, along_y * y, along_x, along_y), dim=-1)
    # Brightness and contrast are normalised: a change of nothing but them is no sign of a shift.
    steepest = steepest - steepest.mean(1, keepdim=True)
    steepest -= template[..., None] * (template[..., None] * steepest).mean(1, keepdim=True)
    return template, steepest


def _solver(steepest: Tensor) -> Tensor:
    """Return the damped inverses, (n, f, f), of the normal matrices of (n, k, f)."""
    normal = steepest.transpose(1, 2) @ steepest
    diagonal = normal.diagonal(dim1=-2, dim2=-1)
    inverses: Tensor = torch.linalg.inv(normal + torch.diag_embed(DAMPING * diagonal + 1e-3))
    return inverses


def _warp_of(step: Tensor) -> Tensor:
    """Return affine maps, (n, 3, 3), for the last (n, 2) or all (n, 6) of their numbers, no step being too long."""
    longest = step[:, -2:].norm(dim=-1, keepdim=True).clamp(min=1e-9)
    step = step * (LARGEST_STEP / longest).clamp(max=1)
    affine = functional.pad(step, (6 - step.shape[-1], 0))
    inner = (
        affine[:, :4].clamp(-LARGEST_CHANGE * RADIUS_PX, LARGEST_CHANGE * RADIUS_PX).reshape(-1, 2, 2).transpose(1, 2)
        / RADIUS_PX
    )
    top = torch.cat((inner + torch.eye(2, device=step.device), affine[:, 4:, None]), dim=-1)
    bottom = torch.tensor([0.0, 0.0, 1.0], device=step.device).expand(len(step), 1, 3)
    return torch.cat((top, bottom), dim=1)


def _warped(image: Tensor, centres: Tensor, axes: Tensor, warp: Tensor, offsets: Tensor) -> Tensor:
    places = offsets @ warp[:, :2, :2].transpose(1, 2) + warp[:, None, :2, 2]
    return _sampled(image, centres, axes, places)


def _sampled(image: Tensor, centres: Tensor, axes: Tensor, offsets: Tensor) -> Tensor:
    """Return an image, (h, w), at `centres + axes @ offsets`: (n, k) of (n, 2), (n, 2, 2) and (k, 2) or (n, k, 2)."""
    places = centres[:, None] + offsets @ axes.transpose(1, 2)
    height, width = image.shape
    grid = 2 * places / torch.tensor([width, height], device=image.device) - 1
    return functional.grid_sample(image[None, None], grid[None], padding_mode="border", align_corners=False)[0, 0]


def _offsets(radius: int, device: torch.device) -> Tensor:
    steps = torch.arange(-radius, radius + 1, device=device, dtype=torch.float32)
    y, x = torch.meshgrid(steps, steps, indexing="ij")
    return torch.stack((x.flatten(), y.flatten()), dim=-1)


def _deviation(patches: Tensor) -> Tensor:
    return (patches.var(-1, correction=0, keepdim=True) + VARIANCE_FLOOR).sqrt()


def _normal(patches: Tensor) -> Tensor:
    return (patches - patches.mean(-1, keepdim=True)) / _deviation(patches)
