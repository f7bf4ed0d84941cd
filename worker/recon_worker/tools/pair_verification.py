"""What pycolmap is given to verify pairs of photos: options that repeat, and a list of pairs as a file."""

import contextlib
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import pycolmap


def verification_options(seed: int) -> pycolmap.TwoViewGeometryOptions:
    """Return options with which the same matches give the same geometry each time."""
    options = pycolmap.TwoViewGeometryOptions()
    options.ransac.random_seed = seed
    return options


@contextlib.contextmanager
def pair_list(pairs: Iterable[tuple[str, str]], folder: Path) -> Iterator[Path]:
    """Yield a file in a folder that lists pairs of photos, by name; it is gone after the block."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt", dir=folder) as listing:
        listing.write("".join(f"{one} {other}\n" for one, other in pairs))
        listing.flush()
        yield Path(listing.name)
