"""`python -m recon_operator.smoke_test`, which `helm test` runs: a working system passes, a broken one is told of."""

import subprocess
import sys

import pytest

from tests.support.system import System
from tests.support.waiting import wait_for


def smoke_test(system: System, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "recon_operator.smoke_test", "--namespace", system.namespace, *arguments],
        env={"KUBECONFIG": str(system.control_plane.kubeconfig)},
        capture_output=True,
        text=True,
        check=False,
    )


def jobs_of(system: System) -> str:
    return system.control_plane.run_kubectl("get", "rj", "-n", system.namespace, "--output=name")


def test_a_working_system_passes_and_nothing_stays(shared_system: System) -> None:
    done = smoke_test(shared_system)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("gpuClass any: ok")
    assert (jobs_of(shared_system), shared_system.work_folders()) == ("", [])
    wait_for("its log goes too", lambda: list(shared_system.outputs.glob("*")) == [])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(
            ["--gpu-class=huge", "--timeout=3"],
            "gpuClass huge: after 3 s the job is still Queued: no worker of this pool is connected.",
            id="a pool without a worker",
        ),
        pytest.param(
            ["--namespace=elsewhere"], "the API server refused: 404 Not Found", id="a namespace that does not exist"
        ),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(shared_system: System, arguments: list[str], said: str) -> None:
    done = smoke_test(shared_system, *arguments)
    assert (done.returncode, said in done.stderr, jobs_of(shared_system)) == (1, True, ""), done.stderr


def test_a_namespace_that_nobody_looks_after_is_told_of(shared_system: System) -> None:
    namespace = shared_system.control_plane.make_namespace()
    done = smoke_test(shared_system, f"--namespace={namespace}", "--timeout=2")
    assert (done.returncode, "Pending: no operator looks after it." in done.stderr) == (1, True), done.stderr
