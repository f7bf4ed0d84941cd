"""Finished stages are used again, and unfinished ones leave nothing."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from recon_api.steps import Step
from recon_worker.progress import Progress, SilentSink
from recon_worker.scene import Scene
from recon_worker.stages.stage import Stage, run_stages
from recon_worker.storage.work_folders import WorkFolders
from tests.support.sinks import Figures


class Workshop:
    """Two stages that count their runs: the second reads what the first wrote."""

    def __init__(self, root: Path, *, version: int = 1) -> None:
        self.scene, self.ran = Scene(root), list[str]()
        self.stages: list[Stage[str]] = [
            Stage("cut", Step.PREPROCESSING, self._cut, parameters_read=lambda word: word, version=version),
            Stage("glue", Step.RECONSTRUCTION, self._glue, reads=("cut",)),
        ]

    def run(self, word: str) -> str:
        run_stages(self.stages, self.scene, word, SilentSink())
        return (self.scene.folder("glue") / "text").read_text()

    def _cut(self, _: Scene, folder: Path, word: str, progress: Progress) -> Mapping[str, Any]:
        self.ran.append("cut")
        (folder / "text").write_text(word)
        return {"letters": len(word)}

    def _glue(self, scene: Scene, folder: Path, word: str, progress: Progress) -> Mapping[str, Any]:
        self.ran.append("glue")
        if word == "bad":
            raise ValueError(word)
        (folder / "text").write_text((scene.folder("cut") / "text").read_text() * 2)
        return {}


def test_the_same_parameters_run_nothing_again(tmp_path: Path) -> None:
    assert Workshop(tmp_path).run("ab") == "abab"
    again = Workshop(tmp_path)
    assert again.run("ab") == "abab"
    assert again.ran == []
    assert again.scene.report("cut")["letters"] == 2


@pytest.mark.parametrize(
    ("word", "version"),
    [pytest.param("xy", 1, id="another parameter"), pytest.param("ab", 2, id="another version of the first stage")],
)
def test_what_changed_and_all_that_reads_it_runs_again(tmp_path: Path, word: str, version: int) -> None:
    Workshop(tmp_path).run("ab")
    again = Workshop(tmp_path, version=version)
    again.run(word)
    assert again.ran == ["cut", "glue"]


def test_a_failed_stage_leaves_nothing_and_the_ones_before_it_stay(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="bad"):
        Workshop(tmp_path).run("bad")
    assert [folder.name.split("-")[0] for folder in tmp_path.iterdir()] == ["cut"]


def test_two_attempts_that_write_the_same_artefact_share_it(tmp_path: Path) -> None:
    first, second = Scene(tmp_path), Scene(tmp_path)
    with first.writing("cut", "f") as (one, _), second.writing("cut", "f") as (two, _):
        (one / "text").write_text("a")
        (two / "text").write_text("a")
    assert first.folder("cut") == second.folder("cut")
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("damage", "used_again"),
    [
        pytest.param(lambda _: None, True, id="whole"),
        pytest.param(lambda folder: (folder / "text").write_text(""), False, id="a file is empty"),
        pytest.param(lambda folder: (folder / "text").write_text("a"), False, id="a file is cut short"),
        pytest.param(lambda folder: (folder / "text").unlink(), False, id="a file is missing"),
        pytest.param(lambda folder: (folder / "report.json").write_text(""), False, id="the report is empty"),
        pytest.param(lambda folder: (folder / "report.json").unlink(), False, id="the report is missing"),
        pytest.param(lambda folder: (folder / ".contents.json").write_text("{"), False, id="half a list of files"),
        pytest.param(lambda folder: (folder / ".contents.json").unlink(), False, id="no list of files"),
        pytest.param(lambda folder: folder.rename(folder.with_name(".cut.tmp")), False, id="it never got its name"),
    ],
)
def test_only_a_whole_artefact_is_used_again(
    tmp_path: Path, damage: Callable[[Path], object], used_again: bool
) -> None:
    Workshop(tmp_path).run("ab")
    damage(next(tmp_path.glob("cut-*")))
    again = Workshop(tmp_path)
    assert again.run("ab") == "abab"
    assert again.ran == ([] if used_again else ["cut"])
    assert Workshop(tmp_path).run("ab") == "abab"
    assert (next(tmp_path.glob("cut-*")) / "text").read_text() == "ab"


def test_a_report_of_the_right_length_that_is_no_report_is_not_used(tmp_path: Path) -> None:
    Workshop(tmp_path).run("ab")
    report = next(tmp_path.glob("cut-*")) / "report.json"
    report.write_text(" " * (report.stat().st_size - 2) + "[]")
    again = Workshop(tmp_path)
    again.run("ab")
    assert again.ran == ["cut"]


@pytest.mark.parametrize("goes_on", ["in what is left", "in a folder that it makes anew"])
def test_an_attempt_whose_draft_was_removed_cannot_finish_a_part_of_it(tmp_path: Path, goes_on: str) -> None:
    storage = WorkFolders(tmp_path)
    first, second = (Scene(storage.steps("job"), attempt) for attempt in (1, 2))

    def write_on() -> None:
        with first.writing("cut", "f") as (folder, _):
            (folder / "one").write_text("1")
            storage.remove_drafts("job", through=1)
            if goes_on == "in a folder that it makes anew":
                folder.mkdir()
                (folder / "two").write_text("2")

    with pytest.raises(FileNotFoundError):
        write_on()
    assert not second.open("cut", "f")
    assert list(storage.steps("job").iterdir()) == []


def test_an_attempt_that_is_believed_dead_leaves_a_later_one_alone(tmp_path: Path) -> None:
    storage = WorkFolders(tmp_path)
    with Scene(storage.steps("job"), 2).writing("cut", "f") as (folder, _):
        (folder / "one").write_text("1")
        storage.remove_drafts("job", through=1)
    assert Scene(storage.steps("job"), 3).open("cut", "f")


def test_figures_of_a_finished_stage_are_shown_again(tmp_path: Path) -> None:
    shown: list[dict[str, str | int]] = []
    for scene in (Scene(tmp_path, 1), Scene(tmp_path, 2)):
        sink = Figures()
        run_stages([Stage("count", Step.PREPROCESSING, _count)], scene, "abc", sink)
        shown.append(sink.shown)
        report = scene.report("count")
        assert (report["step"], report["metrics"]) == (Step.PREPROCESSING, {"letters": "3", "words": 1})
    assert shown == [{"letters": "3", "words": 1}] * 2


def _count(_: Scene, __: Path, word: str, progress: Progress) -> Mapping[str, Any]:
    progress.part(0.0, 0.5).metric("letters", "0")
    progress.metric("letters", str(len(word)))
    progress.metric("words", 1)
    return {}
