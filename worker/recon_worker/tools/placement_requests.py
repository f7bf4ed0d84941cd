"""What the feature and placing tools are asked, and how much effort each rung of the ladder spends."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict


class Effort(BaseModel):
    """How hard to look for features and matches."""

    model_config = ConfigDict(frozen=True)

    name: str
    image_px: int
    """Photos are scaled down to this longer side before features are found."""
    first_octave: int
    """-1 doubles the photo first, which finds finer features at four times the cost."""
    features: int
    """The strongest features of each photo that are kept."""
    peak_threshold: float
    """Least contrast of a feature."""
    guided_matching: bool
    """Where too few photos can be placed, match pairs that fit each other once more, along their epipolar lines."""
    budget_s: float
    """CPU-seconds for each photo that matching may take."""


CHEAP = Effort(
    name="cheap",
    image_px=1000,
    first_octave=0,
    features=3072,
    peak_threshold=0.02 / 3,
    guided_matching=False,
    budget_s=30,
)
THOROUGH = Effort(
    name="thorough",
    image_px=1600,
    first_octave=-1,
    features=4096,
    peak_threshold=0.02 / 3,
    guided_matching=False,
    budget_s=20,
)
EXHAUSTIVE = Effort(
    name="exhaustive",
    image_px=1600,
    first_octave=-1,
    features=8192,
    peak_threshold=0.002,
    guided_matching=True,
    budget_s=15,
)
LADDER = (CHEAP, THOROUGH, EXHAUSTIVE)
"""Tried in this order until nearly all photos are placed."""


class PhotoGroup(BaseModel):
    """Photos of one size that share one camera and one focal length."""

    model_config = ConfigDict(frozen=True)

    name: str
    """Folder under the images' folder."""
    files: tuple[str, ...]
    width: int
    height: int
    focal_px: float | None = None
    """Focal length to start from; None where nothing is known."""


class FeatureRequest(BaseModel):
    """Find features in all photos."""

    database: Path
    """COLMAP database to write; replaced where it exists."""
    images: Path
    masks: Path | None = None
    groups: tuple[PhotoGroup, ...]
    effort: Effort


class PlacementRequest(BaseModel):
    """Match features and place the photos relative to each other."""

    database: Path
    images: Path
    model: Path
    """Folder to write the largest group of placed photos to, as a COLMAP model."""
    effort: Effort
    enough: int
    """Photos with which nothing else need be tried."""
    budget_s: float
    """CPU-seconds for matching; what is not matched then stays so. As many seconds for each try at placing the photos."""
    seed: int = 0


class UndistortionRequest(BaseModel):
    """Make pinhole images of the placed photos and write down what is known about them."""

    model: Path
    images: Path
    masks: Path | None = None
    """Folder of the photos' masks, each named as its photo with `.png` at the end."""
    output: Path
    """Folder to write `images/`, `masks/` (of photos that have one) and `placement.npz` to."""
