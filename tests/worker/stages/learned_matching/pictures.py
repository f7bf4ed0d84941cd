"""A rendered photo as the networks see it."""

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from recon_worker.stages.learned_matching.xfeat import Features, XFeat
from tests.support.photo_sets import rendered_photos

CPU = torch.device("cpu")


def photo(number: int = 0) -> Image.Image:
    """One of the rendered photos, of 640 by 480 pixels."""
    with Image.open(rendered_photos()[number]) as opened:
        return opened.convert("L")


def grey(picture: Image.Image) -> Tensor:
    """Its luminance, (h, w)."""
    return torch.from_numpy(np.asarray(picture, dtype=np.float32))


def features(picture: Image.Image, count: int = 512) -> Features:
    """What the network finds in a picture."""
    with torch.inference_mode():
        return XFeat(CPU)(grey(picture), count)
