"""Bad input fails at once with a reason, leaves nothing behind, and the worker takes the next job."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from recon_api.status import ConditionType, Phase
from recon_operator.act.events import LONGEST_NOTE
from recon_operator.decide.context import LONGEST_MESSAGE
from tests.support.jobs import has_condition, make_job
from tests.support.system import System
from tests.support.waiting import wait_for

Make = Callable[[Path], object]


def photos(folder: Path, count: int = 3) -> None:
    """Write small pictures that are photos by their format alone."""
    folder.mkdir(parents=True)
    for number in range(count):
        Image.linear_gradient("L").resize((320, 240)).rotate(number * 30).convert("RGB").save(folder / f"{number}.jpg")


def truncated(folder: Path) -> None:
    photos(folder)
    whole = (folder / "0.jpg").read_bytes()
    (folder / "0.jpg").write_bytes(whole[: len(whole) // 2])


def text_named_jpg(folder: Path) -> None:
    photos(folder)
    (folder / "0.jpg").write_text("not a photo")


def link_that_leads_outside(folder: Path) -> None:
    photos(folder)
    (folder / "3.jpg").symlink_to("/etc/hostname")


def zip_bomb(folder: Path) -> None:
    with zipfile.ZipFile(folder, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("0.jpg", b"\0" * 50_000_000)


def different_patterns(folder: Path) -> None:
    folder.mkdir(parents=True)
    for number in range(3):
        noise = np.random.default_rng(number).integers(0, 256, (60, 80, 3), np.uint8)
        Image.fromarray(noise).resize((480, 360), Image.Resampling.BICUBIC).save(folder / f"{number}.jpg")


def turned_on_the_spot(folder: Path) -> None:
    """Write photos of a patterned wall by a camera that turns by 6 degrees from one to the next."""
    folder.mkdir(parents=True)
    noise = np.random.default_rng(1).integers(0, 256, (150, 300, 3), np.uint8)
    wall = Image.fromarray(noise).resize((2400, 1200), Image.Resampling.BICUBIC)
    K, on_wall = (
        np.array([[500, 0, 240], [0, 500, 180], [0, 0, 1]]),
        np.array([[900, 0, 1200], [0, 900, 600], [0, 0, 1]]),
    )
    for number in range(6):
        angle = np.radians(6 * number - 15)
        turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
        place = on_wall @ turn @ np.linalg.inv(K)
        seen = wall.transform((480, 360), Image.Transform.PERSPECTIVE, tuple((place / place[2, 2]).flat)[:8])
        seen.save(folder / f"{number}.jpg", quality=92)


def empty_folder(folder: Path) -> None:
    folder.mkdir()


def nothing(_folder: Path) -> None:
    pass


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        pytest.param(nothing, "InputNotFound", id="nothing there"),
        pytest.param(empty_folder, "InputRejected", id="an empty folder"),
        pytest.param(lambda folder: photos(folder, 2), "TooFewPhotos", id="two photos"),
        pytest.param(truncated, "InputRejected", id="a truncated JPEG"),
        pytest.param(text_named_jpg, "InputRejected", id="a text named .jpg"),
        pytest.param(link_that_leads_outside, "InputRejected", id="a link that leads outside"),
        pytest.param(zip_bomb, "InputRejected", id="a zip bomb"),
        pytest.param(photos, "UnusablePhotos", id="pictures of nothing"),
        pytest.param(different_patterns, "InsufficientOverlap", id="pictures that show nothing in common"),
        pytest.param(turned_on_the_spot, "CameraDidNotMove", id="a camera that only turned"),
    ],
)
def test_a_bad_input_fails_at_once(
    shared_system: System, request: pytest.FixtureRequest, make: Make, reason: str
) -> None:
    name = f"bad-{request.node.callspec.indices['make']}"
    shared_system.inputs.mkdir(parents=True, exist_ok=True)
    make(shared_system.inputs / name)
    status = shared_system.submit(make_job(name, input={"path": name}, model="multiview", parameters={})).wait_phase(
        Phase.FAILED
    )
    assert has_condition(status, ConditionType.FAILED, reason), status.conditions
    assert status.execution_attempts == 1
    assert len(status.message) > len(reason), "the message says more than the reason"
    assert not (shared_system.outputs / name).exists()
    wait_for("nothing is left of the job", lambda: shared_system.work_folders() == [])
    shared_system.submit(make_job(f"after-{name}")).wait_phase(Phase.SUCCEEDED)


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        pytest.param({"model": "no-such-model"}, "UnknownModel", id="an unknown model"),
        pytest.param({"parameters": {"colour": "red"}}, "ParametersRejected", id="an unknown parameter"),
    ],
)
def test_a_spec_that_no_worker_can_serve_fails_at_once(
    shared_system: System, spec: dict[str, object], reason: str
) -> None:
    status = shared_system.submit(make_job(reason.lower(), **spec)).wait_phase(Phase.FAILED)
    assert has_condition(status, ConditionType.FAILED, reason), status.conditions
    assert status.execution_attempts == 1


@pytest.mark.parametrize("letter", ["x", "\u00e4", "\u6f22", "\U0001fa91"])
def test_a_message_of_any_length_is_told_in_short(shared_system: System, letter: str) -> None:
    name = f"long-{ord(letter):x}"
    job = shared_system.submit(make_job(name, parameters={"fail": letter * 5000}))
    status = job.wait_phase(Phase.FAILED)
    failed, attempt = status.condition(ConditionType.FAILED), status.attempts[-1]
    assert failed is not None
    for message in (status.message, failed.message, attempt.message):
        assert len(message) == LONGEST_MESSAGE
        assert message.endswith(f"{letter}…")
    selector = f"regarding.name={name},reason=ParametersRejected"
    note = wait_for(
        "there is an event",
        lambda: (
            job.kubectl(
                "get", "events.v1.events.k8s.io", f"--field-selector={selector}", "-o", "jsonpath={.items[*].note}"
            ).stdout
        ),
    )
    assert note.endswith(f"{letter}…")
    assert LONGEST_NOTE - 4 < len(note.encode()) <= LONGEST_NOTE
