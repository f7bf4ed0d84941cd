"""Which way is up in a scene, by how its cameras were held: upright, or on their side without their files saying so."""

from itertools import combinations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

LEVEL_RATIO = 0.1
"""Cameras count as held level where the spread of their x axes along the up direction is below this share of the rest."""

LEANING = 0.2
"""Mean of how far a camera's most level axis leads up (as a cosine) from which on another direction is looked for."""

MUCH_BETTER = 0.5
"""Share of that mean, at most, of a direction that is taken instead: photographers do hold cameras aslant."""

AS_GOOD = 0.03
"""Between directions whose means differ by less, the photos' upper edges decide."""

MOST_PAIRS = 500
"""Pairs of axes that are tried, spread over all there are."""

ON_ITS_SIDE = 0.9
"""What a camera held on its side counts, against one held upright."""


def up_direction(rotations: Array) -> Array:
    """Return the unit vector against gravity, (3,), in the frame that rotations (n, 3, 3) lead from to each camera's.

    A photographer holds the camera level, so the cameras' x axes lie in the horizontal plane, or their y axes where it is
    held on its side. Where the direction of upright photos leaves neither level, one that does is taken instead.
    """
    return _levelled(rotations, _roughly_up(rotations))


def are_level(rotations: Array, up: Array) -> bool:
    """Say whether cameras of rotations (n, 3, 3) were held level, on their side or upright, where `up`, (3,), is up."""
    return bool(_leaning(rotations, up[None])[0] < LEANING)


def _roughly_up(rotations: Array) -> Array:
    usual = _up_of_upright_photos(rotations)
    if are_level(rotations, usual):
        return usual
    leaning = _leaning(rotations, usual[None])[0]
    candidates = _candidates(rotations)
    if not len(candidates):
        return usual
    leanings = _leaning(rotations, candidates)
    level = candidates[leanings <= leanings.min() + AS_GOOD]
    best = level[int(np.argmax(_uprightness(rotations, level)))]
    return best if _leaning(rotations, best[None])[0] <= MUCH_BETTER * leaning else usual


def _up_of_upright_photos(rotations: Array) -> Array:
    """Return the unit vector, (3,), in which the x axes of rotations (n, 3, 3) spread least, towards the photos' upper edges.

    So are panoramas put upright (Szeliski, Computer Vision, 2nd edition, 2022, 8.2). Where the x axes leave it open, it is the
    mean of the photos' own up directions.
    """
    upwards = -rotations[:, 1].sum(axis=0)
    upwards /= max(float(np.linalg.norm(upwards)), 1e-12)
    spread, directions = np.linalg.eigh(np.einsum("ni,nj->ij", rotations[:, 0], rotations[:, 0]))
    level: Array = directions[:, 0]
    agrees = abs(float(level @ upwards)) > np.cos(np.radians(45.0))
    if spread[0] > LEVEL_RATIO * spread[1] or not agrees:
        return np.asarray(upwards)
    return np.asarray(level * np.sign(level @ upwards))


def _levelled(rotations: Array, up: Array) -> Array:
    """Return the unit vector near `up`, (3,), in which the most level axes of rotations (n, 3, 3) spread least, if there is one."""
    side = np.abs(rotations[:, :2] @ up).argmin(axis=1)
    axes = rotations[np.arange(len(rotations)), side]
    spread, directions = np.linalg.eigh(np.einsum("ni,nj->ij", axes, axes))
    level: Array = directions[:, 0] * np.sign(directions[:, 0] @ up)
    agrees = float(level @ up) > np.cos(np.radians(45.0))
    return level if agrees and spread[0] <= LEVEL_RATIO * spread[1] else up


def _candidates(rotations: Array) -> Array:
    """Return unit vectors, (m, 3), of either sign, at right angles to an axis of one of rotations (n, 3, 3) and one of another."""
    axes = rotations[:, :2].reshape(-1, 3)
    pairs = [(i, j) for i, j in combinations(range(len(axes)), 2) if i // 2 != j // 2]
    chosen = np.array(pairs[:: max(1, len(pairs) // MOST_PAIRS)]).reshape(-1, 2)
    normals = np.cross(axes[chosen[:, 0]], axes[chosen[:, 1]])
    lengths = np.linalg.norm(normals, axis=1)
    usable = lengths > np.sin(np.radians(5.0))
    found = normals[usable] / lengths[usable, None]
    return np.concatenate([found, -found, -rotations[:, 1], rotations[:, 0], -rotations[:, 0]])


def _leaning(rotations: Array, ups: Array) -> Array:
    """Return for each of ups (m, 3) the mean cosine, (m,), between it and that axis of each of rotations (n, 3, 3) that is most level."""
    return np.asarray(np.abs(rotations[:, :2] @ ups.T).min(axis=1).mean(axis=0))


def _uprightness(rotations: Array, ups: Array) -> Array:
    """Return for each of ups (m, 3) how well the edges of the photos agree with it, (m,), by rotations (n, 3, 3): at most 1."""
    along = rotations[:, :2] @ ups.T
    return np.asarray(np.maximum(-along[:, 1], ON_ITS_SIDE * np.abs(along[:, 0])).mean(axis=0))
