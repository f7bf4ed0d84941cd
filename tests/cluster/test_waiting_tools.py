"""Tools that wait for a job get their answer at every end: kubectl wait, Helm's --wait, and whatever follows kstatus."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from recon_api.status import ConditionType, Phase
from recon_dev.binaries import find_helm
from tests.support.control_plane import ControlPlane
from tests.support.finished import put_finished
from tests.support.jobs import Job, has_condition, lasting, make_job
from tests.support.kstatus import kstatus
from tests.support.system import System
from tests.support.waiting import wait_for

FAILS = {"parameters": {"fail": "WeightsNotFound"}}


def cancel(job: Job) -> None:
    """Cancel a job in both steps."""
    job.wait_phase(Phase.RUNNING)
    for step in ("Requested", "Confirmed"):
        assert job.patch(cancellation=step).returncode == 0


ENDS = [
    pytest.param("succeeds", {}, None, Phase.SUCCEEDED, "Current", id="it succeeds"),
    pytest.param("fails", FAILS, None, Phase.FAILED, "Failed", id="it fails"),
    pytest.param("is-cancelled", {"parameters": lasting(60)}, cancel, Phase.CANCELLED, "Failed", id="it is cancelled"),
]


@pytest.mark.parametrize(("name", "spec", "then", "phase", "tools_say"), ENDS)
def test_every_end_answers(
    shared_system: System, name: str, spec: dict[str, Any], then: Any, phase: Phase, tools_say: str
) -> None:
    job = shared_system.submit(make_job(name, **spec))
    kubectl = shared_system.control_plane.run_kubectl.command
    waiting = subprocess.Popen(
        [*kubectl, "-n", job.namespace, "wait", f"rj/{name}", "--for=condition=Finished", "--timeout=90s"],
        stdout=subprocess.PIPE,
        text=True,
    )
    if then:
        then(job)
    printed, _ = waiting.communicate()
    assert (waiting.returncode, "condition met" in printed) == (0, True)
    assert job.status().phase is phase
    assert kstatus(job.object() or {}) == tools_say
    reason = job.kubectl("get", "rj", name, "-o", "jsonpath={.status.conditions[?(@.type=='Stalled')].reason}").stdout
    assert reason == {"is-cancelled": "Cancelled", "fails": "WeightsNotFound"}.get(name, "")


@pytest.mark.parametrize(
    ("name", "spec"),
    [
        pytest.param("waits", {"gpuClass": "absent"}, id="it waits for a worker"),
        pytest.param("is-held", {"suspend": True}, id="it is suspended"),
        pytest.param("runs", {"parameters": lasting(60)}, id="it runs"),
    ],
)
def test_an_open_job_is_not_taken_for_done(shared_system: System, name: str, spec: dict[str, Any]) -> None:
    job = shared_system.submit(make_job(name, **spec))
    phases = {"waits": Phase.QUEUED, "is-held": Phase.SUSPENDED, "runs": Phase.RUNNING}
    job.wait_phase(phases[name])
    assert kstatus(job.object() or {}) == "InProgress"
    assert not has_condition(job.status(), ConditionType.FINISHED)
    job.delete()
    job.wait_gone()


def test_a_job_that_no_operator_has_seen_is_not_taken_for_done(control_plane: ControlPlane, namespace: str) -> None:
    manifest = make_job("unseen")
    control_plane.run_kubectl.apply(manifest | {"metadata": {"name": "unseen", "namespace": namespace}})
    assert kstatus(Job(control_plane, namespace, "unseen").object() or {}) == "InProgress"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"ttlSecondsAfterFinished": 86_400}, id="how long it stays"),
        pytest.param({"priority": 5}, id="its priority, which no longer matters"),
        pytest.param({"suspend": False}, id="nothing that differs"),
    ],
)
def test_a_change_of_a_finished_job_is_answered(shared_system: System, change: dict[str, Any]) -> None:
    [field] = change
    job = shared_system.submit(make_job(f"changed-{field[:3].lower()}"))
    job.wait_phase(Phase.SUCCEEDED)
    assert job.patch(**change).returncode == 0
    wait_for("tools take it for done", lambda: kstatus(job.object() or {}) == "Current")
    found = job.object() or {}
    assert found["status"]["observedGeneration"] == found["metadata"]["generation"]


def test_a_change_while_the_operator_is_away_is_answered_later(breakable_system: System) -> None:
    job = breakable_system.submit(make_job("changed-unseen"))
    job.wait_until("has its label", lambda _: "reconstruction.dev/finished" in labels(job))
    breakable_system.operator.kill()
    assert job.patch(ttlSecondsAfterFinished=86_400).returncode == 0
    assert kstatus(job.object() or {}) == "InProgress"
    breakable_system.operator.start()
    wait_for("tools take it for done", lambda: kstatus(job.object() or {}) == "Current")


def labels(job: Job) -> dict[str, str]:
    return dict((job.object() or {})["metadata"].get("labels", {}))


@pytest.mark.parametrize(
    ("before", "patch", "sentence"),
    [
        pytest.param({}, {"cancellation": "Requested"}, "can't be cancelled any more", id="a request for cancellation"),
        pytest.param(
            {"cancellation": "Requested"},
            {"cancellation": "Confirmed"},
            "can't be cancelled any more",
            id="a confirmation that comes too late",
        ),
        pytest.param({}, {"suspend": True}, "can't be suspended any more", id="a suspension"),
        pytest.param({"cancellation": "Requested"}, {"cancellation": None}, "", id="not a withdrawal"),
        pytest.param({"suspend": True}, {"suspend": False}, "", id="not the end of a suspension"),
        pytest.param({}, {"ttlSecondsAfterFinished": 5}, "", id="not how long it stays"),
    ],
)
def test_what_is_refused_of_a_finished_job(
    control_plane: ControlPlane, namespace: str, before: dict[str, Any], patch: dict[str, Any], sentence: str
) -> None:
    job = put_finished(control_plane, namespace, **before)
    done = job.patch(**patch)
    assert (done.returncode != 0, sentence in done.stderr) == (bool(sentence), True), done.stderr


@pytest.mark.parametrize(
    ("name", "spec", "returns", "said"),
    [
        pytest.param("helm-succeeds", {}, 0, "deployed", id="a job that succeeds"),
        pytest.param("helm-fails", FAILS, 1, "helm-fails", id="a job that fails"),
        pytest.param("helm-waits", {"gpuClass": "absent"}, 1, "InProgress", id="a job that does not end in time"),
    ],
)
def test_helm_waits(
    shared_system: System, tmp_path: Path, name: str, spec: dict[str, Any], returns: int, said: str
) -> None:
    chart = tmp_path / name
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text(yaml.safe_dump({"apiVersion": "v2", "name": name, "version": "1.0.0"}))
    (chart / "templates" / "job.yaml").write_text(json.dumps(make_job(name, **spec)))
    helm = [str(find_helm()), f"--kubeconfig={shared_system.control_plane.kubeconfig}", "-n", shared_system.namespace]
    timeout = "60s" if returns == 0 else "15s"
    done = subprocess.run(
        [*helm, "install", name, str(chart), "--wait", f"--timeout={timeout}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, said in done.stdout + done.stderr) == (returns, True), done.stdout + done.stderr
    ended = shared_system.job(name)
    assert kstatus(ended.object() or {}) == {0: "Current"}.get(
        returns, "InProgress" if said == "InProgress" else "Failed"
    )
    ended.delete()
    ended.wait_gone()
