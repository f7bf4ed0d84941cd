"""Which part of each row of a view is compared with its sources: beside it no depth can be measured, so none is looked for."""

import numpy as np
import numpy.typing as npt
from scipy.ndimage import maximum_filter1d, minimum_filter1d

SURROUNDINGS_PX = 16
"""Pixels around what can be measured that are compared too: neighbours' surfaces come from there, and windows reach there."""


def spans_of(measurable: npt.NDArray[np.bool_], level: int) -> npt.NDArray[np.int32]:
    """Return the first column of each row that is compared, and the one after the last: (h, 2) at a level of the pyramid.

    `measurable` says of each pixel of the whole resolution, (h 2^level, w 2^level), whether its depth can be measured. A row without
    any such pixel, and none near it, has an empty span.
    """
    factor = 2**level
    height, width = (side // factor for side in measurable.shape)
    cells = np.asarray(measurable.reshape(height, factor, width, factor).any(axis=(1, 3)))
    shown, reach = np.asarray(cells.any(axis=1)), SURROUNDINGS_PX // factor
    first = np.where(shown, cells.argmax(axis=1), width)
    last = np.where(shown, width - cells[:, ::-1].argmax(axis=1), 0)
    first = (minimum_filter1d(first, 2 * reach + 1) - reach).clip(0, width)
    last = (maximum_filter1d(last, 2 * reach + 1) + reach).clip(0, width)
    empty = ~maximum_filter1d(shown, 2 * reach + 1)
    first[empty] = last[empty] = 0
    return np.stack((first, last), axis=1).astype(np.int32)
