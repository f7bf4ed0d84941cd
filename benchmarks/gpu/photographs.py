"""Photos computed from a formula, with the depth of every pixel: what CPU and GPU code are compared on.

A textured ball stands before a tilted wall, a part of which is plain. World and camera frames as in CONTRIBUTING.md: x right, y
down, z forward, at the first camera, whose centre is the world's origin.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from recon_worker.stages.depth.consistency import DepthMap
from recon_worker.stages.depth.view import LEVELS, View

Array = npt.NDArray[np.float64]

BALL_CENTRE, BALL_RADIUS = np.array([0.0, 0.0, 5.6]), 1.6
WALL_POINT, WALL_NORMAL = np.array([0.0, 0.0, 7.0]), np.array([0.15, -0.1, 1.0])
PLAIN_BELOW_X = -1.6
"""The wall is plain to the left of this x."""

NEAREST, FARTHEST = 3.2, 9.5
"""Bounds of depth."""

CENTRES = (
    (0.0, 0.0, 0.0),
    (-0.6, 0.0, 0.05),
    (0.6, 0.0, -0.05),
    (0.0, 0.5, 0.0),
    (0.0, -0.5, 0.1),
    (-0.4, -0.4, 0.0),
    (0.4, -0.4, 0.0),
    (-0.4, 0.4, 0.0),
    (0.4, 0.4, -0.1),
)
"""Of the cameras, which all look at the ball: a view and as many sources as quality `standard` compares it with."""

WAVES, WAVE_AMPLITUDE = 32, 0.06
SHORTEST_WAVE_PX, LONGEST_WAVE_PX = 5.0, 80.0
"""Of the texture, where it is seen from the front."""

NOISE = 0.002
"""Standard deviation of the photos' noise (luminance 0 to 1): half of what makes an area count as plain."""


@dataclass(frozen=True)
class Photograph:
    """One photo with its truth."""

    view: View
    depth: Tensor
    """(h, w) true depth of each pixel, float32, in the world's unit."""

    def on(self, device: torch.device) -> View:
        """Return the view with its pyramid on a device."""
        return replace(self.view, pyramid=tuple(level.to(device) for level in self.view.pyramid))

    def measured(self, seed: int) -> DepthMap:
        """Return a depth map as a view might measure it: a tenth of the pixels is wrong, a hundredth unknown, all are inexact."""
        random = np.random.default_rng(seed)
        shape = self.depth.shape
        factor = np.where(random.random(shape) < 0.1, random.uniform(0.5, 2.0, shape), 1.0)
        factor += random.normal(0.0, 0.002, shape)
        factor[random.random(shape) < 0.01] = 0.0
        w = (torch.from_numpy(factor) / self.depth).float()
        return DepthMap(w, self.view.K, self.view.R, self.view.t)


def photographs(width: int, height: int) -> list[Photograph]:
    """Return one photo from each of CENTRES; width and height are in pixels, multiples of 32."""
    return [_photograph(np.array(centre), width, height, number) for number, centre in enumerate(CENTRES)]


def moved(depth: DepthMap, device: torch.device) -> DepthMap:
    """Return a depth map on a device."""
    return replace(depth, w=depth.w.to(device))


def _photograph(centre: Array, width: int, height: int, seed: int) -> Photograph:
    focal_px = 1.1 * width
    K = np.array([[focal_px, 0, width / 2], [0, focal_px, height / 2], [0, 0, 1]])
    R = _towards(BALL_CENTRE - centre)
    u, v = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    rays = np.stack((u, v, np.ones_like(u)), axis=-1) @ np.linalg.inv(K).T @ R
    depth = _depth(centre, rays)
    grey = _texture(centre + rays * depth[..., None], BALL_CENTRE[2] / focal_px)
    grey += np.random.default_rng(seed).normal(0.0, NOISE, grey.shape)
    levels = [torch.from_numpy(grey.clip(0, 1).astype(np.float32))]
    for _ in range(LEVELS - 1):
        levels.append(functional.avg_pool2d(levels[-1][None, None], 2)[0, 0].contiguous())
    rgb = np.zeros((height, width, 3), np.uint8)  # of no use here
    view = View(tuple(levels), rgb, K, R, -R @ centre, NEAREST, FARTHEST)
    return Photograph(view, torch.from_numpy(depth).float())


def _towards(forward: Array) -> Array:
    """Return the axes, (3, 3) as rows, of a camera that looks along a vector, (3,), without rolling."""
    z = forward / np.linalg.norm(forward)
    x = np.cross([0.0, 1.0, 0.0], z)
    x /= np.linalg.norm(x)
    return np.stack((x, np.cross(z, x), z))


def _depth(centre: Array, rays: Array) -> Array:
    """Return the depth, (h, w), at which rays, (h, w, 3) of depth one, from a centre, (3,), meet ball or wall."""
    offset = centre - BALL_CENTRE
    a, b, c = (rays**2).sum(-1), 2 * rays @ offset, offset @ offset - BALL_RADIUS**2
    root = np.sqrt(np.maximum(b**2 - 4 * a * c, 0))
    wall = (WALL_POINT - centre) @ WALL_NORMAL / (rays @ WALL_NORMAL)
    return np.asarray(np.where(root > 0, np.minimum((-b - root) / (2 * a), wall), wall))


def _texture(points: Array, pixel: float) -> Array:
    """Return the luminance, (h, w), of points (h, w, 3): waves of many lengths, of which the shortest is a few times `pixel` long."""
    random = np.random.default_rng(5)
    directions = random.normal(size=(WAVES, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    lengths = pixel * np.geomspace(SHORTEST_WAVE_PX, LONGEST_WAVE_PX, WAVES)
    phases = random.uniform(0, 2 * np.pi, WAVES)
    waves = np.zeros(points.shape[:2])
    for direction, length, phase in zip(directions, lengths, phases, strict=True):
        waves += np.sin(points @ (2 * np.pi / length * direction) + phase)
    on_ball = ((points - BALL_CENTRE) ** 2).sum(-1) < (1.001 * BALL_RADIUS) ** 2
    textured = on_ball | (points[..., 0] > PLAIN_BELOW_X)
    return np.asarray(0.5 + WAVE_AMPLITUDE * np.where(textured, waves, 0.0))
