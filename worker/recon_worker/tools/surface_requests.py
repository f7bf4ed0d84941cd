"""What the surface tools are asked."""

from pathlib import Path

from pydantic import BaseModel


class SurfaceRequest(BaseModel):
    """Lay a closed surface through points with normals."""

    points: Path
    """PLY with normals and colours."""
    mesh: Path
    """PLY to write."""
    depth: int
    """Levels of the octree."""


class SurfaceCleaning(BaseModel):
    """Cut off what was not measured of a surface, and clean it."""

    points: Path
    """PLY of the points through which the surface was laid."""
    mesh: Path
    """PLY to change in place."""
    seen_through: Path
    """NumPy file, (v,), bool: the vertices that photos see through."""
    reach: float
    """Distance from the points beyond which the surface is not measured, in their unit."""
    hole_share: float
    """Parts that are not measured are kept up to this share of the measured area: they close holes."""
    least_share: float
    """Parts smaller than this share of the largest one are dropped."""
    smoothing_rounds: int
    faces: int
    """Triangles that are left at most, without those that close the surface."""
    closed: bool = False
    """Close all holes."""
