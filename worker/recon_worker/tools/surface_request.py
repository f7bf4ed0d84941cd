"""What the surface tool is asked."""

from pathlib import Path

from pydantic import BaseModel


class SurfaceRequest(BaseModel):
    """Lay a surface through points with normals, and clean it."""

    points: Path
    """PLY with normals and colours."""
    mesh: Path
    """PLY to write."""
    depth: int
    """Levels of the octree."""
    trim: float
    """Triangles where the octree's sample density is below this level are cut off."""
    least_share: float
    """Parts smaller than this share of the largest one are dropped."""
    smoothing_rounds: int
    faces: int
    """Triangles that are left at most."""
