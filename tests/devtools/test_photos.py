"""Rendered photo sets are kept."""

from pathlib import Path

import pytest

from recon_dev import photos
from recon_dev.ground_truth.scenes.photo_set import SceneSet
from recon_dev.ground_truth.scenes.sets import SCENE_SETS
from tests.support.photo_sets import smaller


def test_a_scene_is_rendered_once_for_each_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rendered: list[SceneSet] = []

    def write(folder: Path, *, spec: SceneSet, **_: object) -> None:
        rendered.append(spec)
        folder.mkdir()

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(photos, "render_scene_set", write)
    facade, room = SCENE_SETS["facade"], SCENE_SETS["room"]
    folders = [photos.known_scene_set(spec) for spec in (facade, room, facade, smaller(facade, 2))]
    assert [spec.name for spec in rendered] == ["facade", "room", "facade"]
    assert folders[0] == folders[2]
    assert len(set(folders)) == 3
    assert all(folder.is_relative_to(tmp_path) for folder in folders)
