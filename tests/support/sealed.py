"""Sealed folders of small results."""

from pathlib import Path

from recon_worker.publishing.seal import seal

UID = "0f5c3a1e-0000-4000-8000-000000000001"


def files_in(folder: Path, text: str = "mesh") -> Path:
    """Make the files of a result in a folder, with some that stay behind."""
    (folder / "textures").mkdir(parents=True)
    (folder / "mesh.glb").write_text(text)
    (folder / "textures" / "a.png").write_text("colours")
    (folder / "report.json").write_text("the stage's own")
    (folder / ".tool.log").write_text("hidden")
    return folder


def sealed(tmp_path: Path, attempt: int = 1, text: str = "mesh") -> Path:
    """Return the sealed folder of an attempt in `tmp_path/work`."""
    work = tmp_path / "work"
    work.mkdir(exist_ok=True)
    return seal(files_in(tmp_path / f"files-{attempt}-{text}", text), '{"a": 1}', work, UID, attempt)


def nothing() -> None:
    """Fence nothing off."""
