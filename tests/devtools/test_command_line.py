"""The command line says what is wrong in a line, without a stack trace."""

from pathlib import Path

import pytest

from recon_dev.__main__ import main
from recon_dev.binaries import find_binaries
from recon_dev.errors import DevError
from recon_dev.go_build import GoModule
from recon_dev.photos import photos_in, put_photos


def test_status_and_down_of_a_cluster_that_never_was(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = ["--state-dir", str(tmp_path / "dev")]
    assert main(["status", *folder]) == 1
    assert main(["down", *folder]) == 0
    assert main(["down", *folder]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == ["Nothing was running."] * 2


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param(["logs", "worker-9"], "recon-dev: no log of 'worker-9'; there are: none\n", id="no such log"),
        pytest.param(["env", "operator"], "recon-dev: the cluster is down\n", id="the cluster is down"),
        pytest.param(["demo", "--photos", "/nowhere"], "recon-dev: /nowhere is not a folder\n", id="no such photos"),
    ],
)
def test_expected_trouble_is_a_line_of_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    assert main([*arguments, "--state-dir", str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith(sentence)


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param([], id="no command"),
        pytest.param(["up", "--workers", "-1"], id="a negative number of workers"),
        pytest.param(["up", "--without", "etcd"], id="a part that can't be left out"),
    ],
)
def test_a_wrong_command_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert "usage: recon-dev" in capsys.readouterr().err


def test_photos_are_put_in_place_of_earlier_ones(tmp_path: Path) -> None:
    for name in ("b.JPG", "a.jpeg", ".hidden", "notes.txt"):
        (tmp_path / name).write_text(name)
    target = tmp_path / "inputs" / "first-job"
    for photos in (photos_in(tmp_path), photos_in(tmp_path)[:1]):
        put_photos(photos, target)
    assert [path.name for path in target.iterdir()] == ["a.jpeg"]


@pytest.mark.parametrize(("name", "sentence"), [("missing", "is not a folder"), (".", "there are no photos in")])
def test_a_folder_without_photos_is_refused(tmp_path: Path, name: str, sentence: str) -> None:
    with pytest.raises(DevError, match=sentence):
        photos_in(tmp_path / name)


def test_a_change_of_the_flags_builds_anew() -> None:
    plain, flagged = (GoModule("etcd", {"etcd": "server"}, flags) for flags in ((), ("a.b=1",)))
    assert plain.digest() != flagged.digest()
    assert plain.digest() == GoModule("etcd", {"etcd": "server"}).digest()


@pytest.mark.parametrize(
    ("given", "controller_manager"),
    [
        pytest.param(
            ("kube-apiserver", "etcd"), None, id="the usual set has no controller manager, so it is done without"
        ),
        pytest.param(
            ("kube-apiserver", "etcd", "kube-controller-manager"), "kube-controller-manager", id="a set that has one"
        ),
    ],
)
def test_programs_that_the_user_names_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: tuple[str, ...], controller_manager: str | None
) -> None:
    for name in given:
        (tmp_path / name).touch()
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    found = find_binaries()
    assert (found.etcd, found.kube_apiserver) == (tmp_path / "etcd", tmp_path / "kube-apiserver")
    assert found.kube_controller_manager == (tmp_path / controller_manager if controller_manager else None)
