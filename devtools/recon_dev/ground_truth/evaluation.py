"""A reconstruction against the truth: cameras and surface, in one report."""

from pathlib import Path

import numpy as np
import trimesh
from pydantic import BaseModel, ConfigDict

from recon_dev.ground_truth.alignment import align_by_name
from recon_dev.ground_truth.cameras import load_cameras
from recon_dev.ground_truth.photos import CAMERAS_FILE, MESH_FILE
from recon_dev.ground_truth.pose_error import PoseScore, score_poses
from recon_dev.ground_truth.surface_distance import STANDARD_PROTOCOL, SurfaceProtocol, SurfaceScore, score_surface
from recon_worker.geometry.cameras import CameraSet


class Evaluation(BaseModel):
    """How far a reconstruction is from the truth."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    scale: float
    """Units of the truth in one unit of the reconstruction."""
    poses: PoseScore
    surface: SurfaceScore


def evaluate(
    photo_set: Path, mesh_file: Path, cameras_file: Path, protocol: SurfaceProtocol = STANDARD_PROTOCOL
) -> Evaluation:
    """Compare a mesh and the cameras placed with it to the truth of a photo set.

    The cameras alone align the two (`alignment`), so the surface has to lie where the cameras say. Raises ValueError where
    fewer than three photos were placed or nothing of the mesh lies near the truth.
    """
    true_cameras = load_cameras(photo_set / CAMERAS_FILE)
    placed = CameraSet.model_validate_json(cameras_file.read_text()).cameras
    similarity = align_by_name({c.name: c.centre() for c in placed}, {c.name: c.centre for c in true_cameras})
    mesh, truth = load_mesh(mesh_file), load_mesh(photo_set / MESH_FILE)
    mesh.vertices = similarity.apply(np.asarray(mesh.vertices))
    return Evaluation(
        scale=similarity.scale,
        poses=score_poses(placed, true_cameras, similarity),
        surface=score_surface(mesh, truth, true_cameras, protocol),
    )


def load_mesh(file: Path) -> trimesh.Trimesh:
    """Read a triangle mesh of any format that trimesh knows; raises ValueError where the file holds none."""
    mesh = trimesh.load_mesh(file, process=False)
    if not isinstance(mesh, trimesh.Trimesh) or not len(mesh.faces):
        raise ValueError(f"{file} holds no triangles")
    return mesh
