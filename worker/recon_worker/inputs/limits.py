"""How large an input may be."""

from pydantic import BaseModel, ConfigDict, Field


class InputLimits(BaseModel):
    """Limits of one job's input, checked before memory or disk is spent on it."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    min_photos: int = Field(default=3, ge=1)
    """Fewest different photos of a reconstruction: two views leave its scale and its errors unseen."""
    max_photos: int = Field(default=2000, ge=1)
    """Most photos of a job."""
    max_photo_pixels: int = Field(default=200_000_000, ge=1)
    """Largest photo: the largest sensors of phones have 200 megapixels; decoded, that is 600 MB."""
    min_photo_side: int = Field(default=64, ge=1)
    """Shortest side of a photo, in pixels; below it there is nothing to match."""
    max_photo_bytes: int = Field(default=1 << 30, ge=1)
    """Largest file of a photo."""
    max_entries: int = Field(default=20_000, ge=1)
    """Most files and folders in a folder or an archive, photos or not."""
    max_archive_bytes: int = Field(default=64 << 30, ge=1)
    """Most bytes that come out of an archive."""
    max_archive_ratio: int = Field(default=100, ge=2)
    """Most bytes that come out of an archive for each byte of it: photos hardly compress, bombs do by 1000 and more."""
