"""Results in a bucket: complete or not there, whoever dies, and written by the attempt that may."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from recon_api import reasons
from recon_api.credentials import AttemptCredentials, Credentials
from recon_api.errors import JobCancelled, UsageError
from recon_api.payload import TaskPayload
from recon_api.steps import Step
from recon_worker.attempt.run import AttemptResources, run_attempt
from recon_worker.files.manifest import MANIFEST, Manifest
from recon_worker.inputs.limits import InputLimits
from recon_worker.models.installed import Models
from recon_worker.progress import Progress, SilentSink
from recon_worker.publishing.published_result import PublishedResult
from recon_worker.publishing.seal import seal
from recon_worker.remote.locations import RemoteAccess, RemoteLocation, RemotePolicy
from recon_worker.remote.result_objects import MARK
from recon_worker.remote.upload import announce, upload
from recon_worker.storage.volume import VolumeStorage
from tests.support.web import ACCESS_KEY, S3, SECRET_KEY, s3_server

KEYS = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    with s3_server(tmp_path_factory.mktemp("s3") / "log") as server:
        yield server


def place(s3: S3, url: str) -> RemoteLocation:
    return RemoteLocation("output.url", url, Credentials(values=KEYS), RemotePolicy(s3_endpoint_url=s3.url))


def sealed(folder: Path, uid: str, **files: str) -> Path:
    files_folder, work = folder / uid / "files", folder / uid / "work"
    for each in (files_folder, work):
        each.mkdir(parents=True)
    for name, text in files.items():
        (files_folder / f"{name}.ply").write_text(text)
    return seal(files_folder, "{}", work, uid, 1)


def send(where: RemoteLocation, folder: Path, fence: object = lambda: None) -> None:
    manifest = Manifest.model_validate_json((folder / MANIFEST).read_text())
    upload(where, folder, manifest, fence, Progress.of_step(SilentSink(), Step.FINALIZING))  # type: ignore[arg-type]


def test_a_later_result_takes_the_place_of_an_earlier_one(s3: S3, tmp_path: Path) -> None:
    s3.bucket("replace", {"models/own.txt": b"of a person"})
    where = place(s3, "s3://replace/models")
    send(where, sealed(tmp_path, "first", mesh="old", extra="x"))
    send(where, later := sealed(tmp_path, "second", mesh="new"))
    objects = s3.objects("replace")
    assert set(objects) == {f"models/{name}" for name in ("mesh.ply", "report.json", MANIFEST, "own.txt")}
    assert objects["models/mesh.ply"] == b"new"
    assert objects[f"models/{MANIFEST}"] == (later / MANIFEST).read_bytes()


@pytest.mark.parametrize(
    "passes",
    [
        pytest.param(0, id="before its files"),
        pytest.param(2, id="between two"),
        pytest.param(3, id="before its manifest"),
    ],
)
def test_an_attempt_that_may_not_publish_leaves_no_manifest(s3: S3, tmp_path: Path, passes: int) -> None:
    bucket = s3.bucket(f"fenced{passes}")
    asked: list[None] = []

    def fence() -> None:
        asked.append(None)
        if len(asked) > passes:
            raise JobCancelled(reasons.SUPERSEDED, "attempt 2 took over")

    folder = sealed(tmp_path, "job", mesh="x")
    with pytest.raises(JobCancelled):
        send(place(s3, f"s3://{bucket}/m"), folder, fence)
    assert f"m/{MANIFEST}" not in s3.objects(bucket)
    send(place(s3, f"s3://{bucket}/m"), folder)
    assert s3.objects(bucket)[f"m/{MANIFEST}"] == (folder / MANIFEST).read_bytes()


def test_what_is_there_is_not_written_again(s3: S3, tmp_path: Path) -> None:
    s3.bucket("again")
    folder = sealed(tmp_path, "job", mesh="x")
    send(place(s3, "s3://again/m"), folder)
    before = s3.client.head_object(Bucket="again", Key="m/mesh.ply")["LastModified"]

    def fence() -> None:
        raise AssertionError("nothing is to be published")

    send(place(s3, "s3://again/m"), folder, fence)
    assert s3.client.head_object(Bucket="again", Key="m/mesh.ply")["LastModified"] == before


def test_a_bucket_that_cannot_be_written_is_known_before_any_work(s3: S3) -> None:
    with pytest.raises(UsageError) as raised:
        announce(place(s3, "s3://nobody-made-this/m"), "u.1", lambda: None)
    assert raised.value.reason is reasons.INVALID_SPEC
    s3.bucket("marked")
    announce(place(s3, "s3://marked/m"), "u.1", lambda: None)
    assert s3.objects("marked") == {f"m/{MARK}": b"u.1"}


UID = "0f5c3a1e-0000-4000-8000-000000000003"


def run(s3: S3, storage: VolumeStorage, number: int, *, refused_from: int = 99) -> PublishedResult:
    """Run an attempt whose fence refuses from its so-many-th question on: the first one is that of the storage."""
    asked: list[None] = []

    def fence() -> None:
        asked.append(None)
        if len(asked) >= refused_from:
            raise JobCancelled(reasons.WORKER_STOPPED, "the worker was asked to shut down")

    payload = TaskPayload(
        job_id=UID,
        model_type="synthetic",
        namespace="shop",
        name="chair",
        attempt=number,
        parameters={"noop": True},
        output_url=f"s3://attempts{storage.root.name}/chair/",
    )
    credentials = AttemptCredentials(task=f"{UID}.{number}", output=Credentials(values=KEYS))
    remote = RemoteAccess(RemotePolicy(s3_endpoint_url=s3.url), credentials)
    resources = AttemptResources(storage, Models(None, "cpu"), InputLimits(), remote)
    return run_attempt(payload, resources, {}, SilentSink(), fence)


@pytest.mark.parametrize("died", [1, 2, 4], ids=["before it is published", "before its upload", "before its manifest"])
def test_the_next_attempt_ends_what_one_began(s3: S3, tmp_path: Path, died: int) -> None:
    storage, bucket = VolumeStorage(tmp_path / f"-{died}"), s3.bucket(f"attempts-{died}")
    with pytest.raises(JobCancelled):
        run(s3, storage, 1, refused_from=died)
    assert f"chair/{MANIFEST}" not in s3.objects(bucket)
    finished = run(s3, storage, 2)
    objects = s3.objects(bucket)
    manifest = Manifest.model_validate_json(objects[f"chair/{MANIFEST}"])
    assert manifest.attempt == 1, "what was finished is not made again"
    told = {output.uri: output.sha256 for output in finished.outputs}
    assert told == {f"s3://{bucket}/chair/{file.name}": file.sha256 for file in manifest.files}
    found = {name: hashlib.sha256(body).hexdigest() for name, body in objects.items()}
    assert {f"chair/{file.name}": file.sha256 for file in manifest.files}.items() <= found.items()
