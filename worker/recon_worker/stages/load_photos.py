"""The photo set of a job as an artefact: what the loading step leaves for the models."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

STAGE = "load_photos"
INDEX = "photos.json"


class Photo(BaseModel):
    """One photo, upright, as an 8-bit RGB JPEG or PNG file that decodes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str
    """Name within the artefact's folder; sorting by it keeps the order of the input."""
    source: str
    """Name that the user gave it."""
    width: int
    height: int
    """Size in pixels after the EXIF orientation was applied."""
    focal_px: float | None = None
    """Focal length in pixels of the photo's longer side, from EXIF, if it says so."""
    has_alpha: bool = False
    """Whether the file is a PNG with transparency, which masks the background."""


class PhotoSet(BaseModel):
    """All photos of a job."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    photos: tuple[Photo, ...]

    @classmethod
    def load(cls, folder: Path) -> "PhotoSet":
        """Read the artefact's index from its folder."""
        return cls.model_validate_json((folder / INDEX).read_text())

    def save(self, folder: Path) -> None:
        """Write the artefact's index into its folder."""
        (folder / INDEX).write_text(self.model_dump_json(indent=1))
