"""A Secret's values reach the one attempt that its job names them for, and are nowhere else; results go to a bucket with them."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import redis

from recon_api.keys import credentials_key
from recon_api.status import ConditionType, Phase, ReconstructionJobStatus
from recon_dev.valkey import BROKER_DB, STATE_DB
from tests.cluster.test_bad_inputs import photos
from tests.support.control_plane import ControlPlane
from tests.support.jobs import Job, lasting, make_job
from tests.support.system import System
from tests.support.waiting import wait_for
from tests.support.web import ACCESS_KEY, S3, SECRET_KEY, s3_server

VALUE = SECRET_KEY
"""What must be found nowhere."""


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    with s3_server(tmp_path_factory.mktemp("s3") / "log") as server:
        yield server


@pytest.fixture(scope="module")
def shared_system(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory, s3: S3) -> Iterator[System]:
    with ExitStack() as stack:
        policy = {"URL_ALLOWED_PRIVATE_HOSTS": "127.0.0.1"}
        system = System(control_plane, tmp_path_factory.mktemp("system"), worker_env=policy)
        stack.callback(system.stop)
        system.start()
        keys = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": VALUE, "endpointURL": s3.url}
        make_secret(system, "bucket", keys)
        yield system
        assert system.refusals() == []


def make_secret(system: System, name: str, values: dict[str, str]) -> None:
    metadata = {"name": name, "namespace": system.namespace}
    system.control_plane.run_kubectl.apply(
        {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": values}
    )


def places_with_the_value(system: System, job: Job) -> list[str]:
    """Return where a Secret's value can be found: in Redis, logs, files, the job or its events."""
    needle = VALUE.encode()
    found = [
        f"Redis {database}: {key!r}"
        for database in (BROKER_DB, STATE_DB)
        for key in keys_with(system, database, needle)
    ]
    files = [
        path for path in system.state.root.rglob("*") if path.is_file() and not path.is_relative_to(system.state.etcd)
    ]
    found += [str(path) for path in files if needle in path.read_bytes()]
    shown = json.dumps(job.object()) + job.kubectl("get", "events", "-o", "json").stdout
    return found + (["the job or its events"] if VALUE in shown else [])


def keys_with(system: System, database: int, needle: bytes) -> list[bytes]:
    client: Any = system.client(database)
    return [key for key in client.keys("*") if needle in key or needle in (client.dump(key) or b"")]


def failed(status: ReconstructionJobStatus) -> str:
    condition = status.condition(ConditionType.FAILED)
    return condition.reason if condition else ""


def to_bucket(url: str, **spec: Any) -> dict[str, Any]:
    return {"input": {"url": "s3://unread/x", "secretName": "bucket"}, "output": {"url": url}, **spec}


def test_the_photos_of_a_bucket_are_read_with_the_jobs_secret(shared_system: System, s3: S3, tmp_path: Path) -> None:
    photos(tmp_path / "p")
    s3.bucket("inputs", {f"chair/{path.name}": path.read_bytes() for path in (tmp_path / "p").iterdir()})
    spec = {"input": {"url": "s3://inputs/chair/", "secretName": "bucket"}, "model": "multiview"}
    job = shared_system.submit(make_job("photos", **spec, parameters={"quality": "draft"}))
    status = job.wait_phase(Phase.FAILED)
    assert failed(status) in {"InsufficientOverlap", "UnconnectedPhotos", "UnusablePhotos"}, status.message
    assert places_with_the_value(shared_system, job) == []


def test_a_result_goes_to_a_bucket(shared_system: System, s3: S3) -> None:
    s3.bucket("results")
    job = shared_system.submit(make_job("to-bucket", **to_bucket("s3://results/models/chair/")))
    status = job.wait_phase(Phase.SUCCEEDED)
    objects = s3.objects("results")
    manifest = json.loads(objects["models/chair/manifest.json"])
    told = {output.uri.removeprefix("s3://results/"): output.sha256 for output in status.outputs}
    assert told
    assert told == {name: hashlib.sha256(objects[name]).hexdigest() for name in told}
    assert set(objects) == {*told, "models/chair/manifest.json"}
    assert {f"models/chair/{file['name']}" for file in manifest["files"]} == set(told)
    assert places_with_the_value(shared_system, job) == []


def test_the_value_is_nowhere_while_the_attempt_runs_or_waits(shared_system: System, s3: S3) -> None:
    s3.bucket("running")
    running = shared_system.submit(make_job("runs", **to_bucket("s3://running/a", parameters=lasting(300))))
    running.wait_phase(Phase.RUNNING)
    state: redis.Redis = shared_system.client()
    uid = (running.object() or {})["metadata"]["uid"]
    wait_for(
        "the worker takes them, which it does after its lease is seen",
        lambda: not state.exists(credentials_key(uid, 1)),
    )
    assert places_with_the_value(shared_system, running) == []

    waiting = shared_system.submit(make_job("waits", **to_bucket("s3://running/b")))
    waiting.wait_until("is sent", lambda s: s.execution_attempts == 1)
    key = credentials_key((waiting.object() or {})["metadata"]["uid"], 1)
    wait_for("its credentials wait for the worker", lambda: state.exists(key))
    assert int(state.ttl(key)) > 0
    assert places_with_the_value(shared_system, waiting) == []

    for job in (waiting, running):
        job.patch(cancellation="Requested")
        job.wait_until("asks", lambda s: s.cancellation is not None)
        job.patch(cancellation="Confirmed")
        job.wait_phase(Phase.CANCELLED)
    wait_for("nothing is left for the worker", lambda: not state.keys("credentials:*"))


@pytest.mark.parametrize(
    ("values", "reason", "words"),
    [
        pytest.param(None, "SecretNotFound", "create it", id="no Secret"),
        pytest.param({"other": "x"}, "SecretRejected", "none of the keys", id="no known key"),
        pytest.param({"AWS_ACCESS_KEY_ID": "x"}, "SecretRejected", "but not AWS_SECRET_ACCESS_KEY", id="half a pair"),
    ],
)
def test_a_secret_that_is_of_no_use_fails_the_job(
    shared_system: System, values: dict[str, str] | None, reason: str, words: str
) -> None:
    name = f"secret-{reason}-{len(words)}".lower()
    if values is not None:
        make_secret(shared_system, name, values)
    spec = {"input": {"url": "https://example.com/a.zip", "secretName": name}}
    job = shared_system.submit(make_job(name, **spec))
    status = job.wait_phase(Phase.FAILED)
    assert failed(status) == reason
    assert words in status.message
    assert status.execution_attempts == 1


def test_a_job_may_not_reach_the_cluster(shared_system: System) -> None:
    spec = {"input": {"url": "https://127.0.0.2:6443/x.zip"}, "model": "multiview", "parameters": {}}
    status = shared_system.submit(make_job("inside", **spec)).wait_phase(Phase.FAILED)
    assert failed(status) == "AddressNotAllowed"


def test_without_a_key_no_secret_is_handed_out(control_plane: ControlPlane, tmp_path: Path) -> None:
    system = System(control_plane, tmp_path / "system", operator_env={"CREDENTIALS_KEY": ""})
    try:
        system.start()
        make_secret(system, "mine", {"token": "t"})
        spec = {"input": {"url": "https://example.com/a.zip", "secretName": "mine"}}
        status = system.submit(make_job("asks", **spec)).wait_phase(Phase.FAILED)
        assert failed(status) == "NotSupported"
        assert "CREDENTIALS_KEY" in status.message
    finally:
        system.stop()


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        pytest.param({"input": {"url": "https://ann:pw@example.com/a"}}, "secretName", id="a password in the URL"),
        pytest.param({"input": {"url": "http://example.com/a"}}, "https://", id="no TLS"),
        pytest.param({"output": {"url": "https://example.com/a"}}, "s3://", id="a result to a web server"),
        pytest.param({"output": {"secretName": "x"}}, "secretName", id="a Secret for no URL"),
    ],
)
def test_what_the_api_server_refuses(shared_system: System, spec: dict[str, Any], words: str) -> None:
    with pytest.raises(Exception, match=words):
        shared_system.submit(make_job("refused", **spec))
