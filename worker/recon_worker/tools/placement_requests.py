"""What the feature and placing tools are asked, and how much effort each rung of the ladder spends."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

TRACKS = "tracks.npz"
"""File beside a COLMAP model, with what `recon_worker.tools.tracks` gathers from it."""


class SiftOptions(BaseModel):
    """How hard to look for SIFT features."""

    model_config = ConfigDict(frozen=True)

    image_px: int
    """Photos are scaled down to this longer side before features are found."""
    first_octave: int
    """-1 doubles the photo first, which finds finer features at four times the cost."""
    features: int
    """The strongest features of each photo that are kept."""
    peak_threshold: float = 0.02 / 3
    """Least contrast of a feature."""


class Effort(BaseModel):
    """How hard to look for features and matches."""

    model_config = ConfigDict(frozen=True)

    name: str
    sift: SiftOptions
    partners: int
    """Photos whose learned features each photo is matched with."""
    budget_s: float
    """CPU-seconds for each photo that matching SIFT features may take."""
    enough_share: float
    """Share of placed photos with which no greater effort is made."""


FEW_FEATURES = SiftOptions(image_px=1000, first_octave=0, features=3072)
CHEAP = Effort(name="cheap", sift=FEW_FEATURES, partners=0, budget_s=30, enough_share=0.9)
# The effort after this one adds a few pairs to those of this one: that is cheap.
LEARNED = Effort(name="learned", sift=FEW_FEATURES, partners=4, budget_s=30, enough_share=1.0)
# The last effort takes longer than all before it.
WIDER = Effort(name="wider", sift=FEW_FEATURES, partners=8, budget_s=30, enough_share=0.75)
THOROUGH = Effort(
    name="thorough",
    sift=SiftOptions(image_px=1600, first_octave=-1, features=4096),
    partners=8,
    budget_s=20,
    enough_share=0.75,
)
LADDER = (CHEAP, LEARNED, WIDER, THOROUGH)
"""Tried in this order until nearly all photos are placed. What one has found, the next one uses."""


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
    sift: SiftOptions


class PlacementRequest(BaseModel):
    """Match features and place the photos relative to each other."""

    database: Path
    images: Path
    model: Path
    """Folder to write the largest group of placed photos to, as a COLMAP model, and its `TRACKS`."""
    every_pair: bool
    """Match the SIFT features of every two photos, not only of neighbours in the order of names and of those that look alike."""
    learned: Path | None = None
    """Matches of learned features to use as well (`recon_worker.tools.learned_matches`)."""
    enough: int
    """Photos with which nothing else need be tried."""
    budget_s: float
    """CPU-seconds for matching; what is not matched then stays so. As many seconds for each try at placing the photos."""
    seed: int = 0


class AdjustmentRequest(BaseModel):
    """Move the features of placed photos, and adjust cameras and points to that."""

    model: Path
    """Folder of the COLMAP model to change."""
    moved: Path
    """NumPy archive of `places`, (m, 2), and `kept`, (m,), of the model's observations in the order of its `TRACKS`."""


class UndistortionRequest(BaseModel):
    """Make pinhole images of the placed photos and write down what is known about them."""

    model: Path
    images: Path
    masks: Path | None = None
    """Folder of the photos' masks, each named as its photo with `.png` at the end."""
    output: Path
    """Folder to write `images/`, `masks/` (of photos that have one) and `placement.npz` to."""
