"""What a person reads while a job runs."""

import pytest

from recon_api.status import Phase, Progress, QueueStatus, ReconstructionJobStatus, WorkerStatus
from recon_dev.demo import local_path
from recon_dev.follow import PlainView, details, documents

STEP = "Running reconstruction"


def running(percentage: int, *, attempt: int = 1) -> ReconstructionJobStatus:
    """A status in the middle of a job."""
    return ReconstructionJobStatus(
        phase=Phase.RUNNING,
        execution_attempts=attempt,
        worker=WorkerStatus(name="worker-0"),
        progress=Progress(percentage=percentage, step=STEP, estimated_remaining_seconds=31),
    )


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        pytest.param(ReconstructionJobStatus(), ["Pending"], id="not yet seen"),
        pytest.param(
            ReconstructionJobStatus(phase=Phase.QUEUED, queue=QueueStatus(position=3)),
            ["Queued", "3. in the queue"],
            id="waiting",
        ),
        pytest.param(running(43), [STEP, "31 s left", "worker-0"], id="running"),
        pytest.param(running(43, attempt=2), [STEP, "31 s left", "worker-0", "attempt 2"], id="running again"),
        pytest.param(ReconstructionJobStatus(phase=Phase.SUCCEEDED), ["Succeeded"], id="done"),
    ],
)
def test_details(status: ReconstructionJobStatus, expected: list[str]) -> None:
    assert details(status) == expected


def test_without_a_terminal_a_line_is_printed_for_what_matters(capsys: pytest.CaptureFixture[str]) -> None:
    view = PlainView()
    for status in (running(41), running(42), running(49), running(50), running(50, attempt=2)):
        view.show(status)
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_objects_of_a_watch_are_told_apart() -> None:
    printed = '{\n    "status": {\n        "phase": "Queued"\n    }\n}\n{\n    "status": {}\n}\n'
    assert [d["status"] for d in documents(printed.splitlines(keepends=True))] == [{"phase": "Queued"}, {}]


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        pytest.param("file:///a%20b/mesh.glb", "/a b/mesh.glb", id="a file"),
        pytest.param("/a/mesh.glb", "/a/mesh.glb", id="a path"),
        pytest.param("s3://bucket/mesh.glb", "s3://bucket/mesh.glb", id="elsewhere"),
    ],
)
def test_local_path(uri: str, path: str) -> None:
    assert local_path(uri) == path
