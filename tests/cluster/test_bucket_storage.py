"""A bucket as the installation's storage: photos are read there, results are whole there or not at all, and go with their job."""

import hashlib
import io
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from recon_api import reasons
from recon_api.credentials import AttemptCredentials, Credentials
from recon_api.errors import JobCancelled, TransientError, UsageError
from recon_api.keys import cancel_key, result_key
from recon_api.payload import AttemptResult, ClaimOwner, Outcome, TaskPayload
from recon_api.reasons import Reason
from recon_worker.attempt.run import AttemptResources, run_attempt
from recon_worker.attempt.running_attempt import RunningAttempt
from recon_worker.files.manifest import MANIFEST, Manifest
from recon_worker.inputs.limits import InputLimits
from recon_worker.models.installed import Models
from recon_worker.models.model import Model
from recon_worker.progress import ProgressSink, SilentSink
from recon_worker.publishing.published_result import PublishedResult
from recon_worker.remote.locations import RemoteAccess, RemotePolicy
from recon_worker.remote.result_objects import MARK
from recon_worker.scene import Scene
from recon_worker.settings import WorkerSettings
from recon_worker.storage.bucket import BucketStorage
from recon_worker.supervisor.main_process import MainProcess
from tests.support.waiting import wait_for
from tests.support.web import ACCESS_KEY, S3, SECRET_KEY, s3_server
from tests.support.worker_site import Site, running_site

UID, OTHER = "0f5c3a1e-0000-4000-8000-000000000001", "0f5c3a1e-0000-4000-8000-000000000002"
KEYS = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    with s3_server(tmp_path_factory.mktemp("s3") / "log") as server:
        yield server


class Reader:
    """A model that reads photos, and tells their names."""

    name, reads_photos = "reader", True

    def __init__(self) -> None:
        self.runs = 0

    def load(self, weights_dir: Path | None, device: str) -> None:
        """There is nothing to load."""

    def check(self, parameters: Mapping[str, Any]) -> None:
        """Take anything."""

    def run(self, scene: Scene, parameters: Mapping[str, Any], sink: ProgressSink) -> Path:
        self.runs += 1
        folder = scene.root / "made"
        (folder / "more").mkdir(parents=True, exist_ok=True)
        (folder / "mesh.ply").write_text(str(parameters))
        (folder / "more" / "names.txt").write_text(str(scene.report("load_photos")["photos"]))
        if "extra" in parameters:
            (folder / parameters["extra"]).write_text("more")
        return folder


class OneModel(Models):
    def __init__(self, model: Reader) -> None:
        self._model = model

    def model(self, name: str) -> Model:
        return self._model

    def load(self, model: Model) -> None:
        """There is nothing to load."""


def photo(number: int) -> bytes:
    content = io.BytesIO()
    Image.linear_gradient("L").resize((320, 240)).rotate(number * 30).convert("RGB").save(content, "JPEG")
    return content.getvalue()


class Pod:
    """One worker's disk, and a bucket that it shares with others."""

    def __init__(self, s3: S3, bucket: str, folder: Path, prefix: str = "/recon") -> None:
        self.model = Reader()
        policy = RemotePolicy(s3_endpoint_url=s3.url)
        self.storage = BucketStorage(folder, f"s3://{bucket}{prefix}", Credentials(values=KEYS), policy)

    def run(
        self,
        number: int = 1,
        uid: str = UID,
        refuses: tuple[int, Reason] = (99, reasons.SUPERSEDED),
        remote: RemoteAccess | None = None,
        between: Callable[[], object] = lambda: None,
        **fields: Any,
    ) -> PublishedResult:
        """Run an attempt whose fence refuses from its so-many-th question on, for that reason.

        `between` is done while it uploads.
        """
        asked: list[None] = []

        def fence() -> None:
            asked.append(None)
            if len(asked) == 3:
                between()
            if len(asked) >= refuses[0]:
                raise JobCancelled(refuses[1], "stop")

        payload = TaskPayload(
            job_id=uid,
            model_type="reader",
            namespace="shop",
            name="chair",
            attempt=number,
            **{"input_path": "chair", "parameters": {"of": uid}} | fields,
        )
        remote = remote or RemoteAccess(RemotePolicy(s3_endpoint_url=self.storage.policy.s3_endpoint_url))
        resources = AttemptResources(self.storage, OneModel(self.model), InputLimits(), remote)
        return run_attempt(payload, resources, {}, SilentSink(), fence)

    def files(self) -> list[str]:
        """Files of its disk that are no work in progress."""
        root = self.storage.root
        return [str(path.relative_to(root)) for path in root.rglob("*") if path.parts[len(root.parts)] != "work"]


@pytest.fixture
def bucket(s3: S3, request: pytest.FixtureRequest) -> str:
    """A bucket of the test's own with the photos of two namespaces."""
    name = hashlib.sha256(request.node.name.encode()).hexdigest()[:20]
    objects = {f"recon/inputs/shop/chair/{number}.jpg": photo(number) for number in range(3)}
    objects["recon/inputs/other/chair/9.jpg"] = photo(9)
    return s3.bucket(name, objects)


def published(s3: S3, bucket: str, path: str = "chair") -> dict[str, bytes]:
    """Return what lies below the namespace's output path."""
    base = f"recon/outputs/shop/{path}/"
    return {name.removeprefix(base): body for name, body in s3.objects(bucket).items() if name.startswith(base)}


def assert_whole(objects: dict[str, bytes]) -> Manifest:
    manifest = Manifest.model_validate_json(objects[MANIFEST])
    expected = {file.name: file.sha256 for file in manifest.files}
    found = {name: hashlib.sha256(body).hexdigest() for name, body in objects.items() if name != MANIFEST}
    assert found == expected
    return manifest


# --- an attempt ---------------------------------------------------------------------------------------------------


def test_photos_of_a_path_become_a_result_in_the_bucket(s3: S3, bucket: str, tmp_path: Path) -> None:
    pod = Pod(s3, bucket, tmp_path / "pod")
    finished = pod.run()
    manifest = assert_whole(published(s3, bucket))
    assert manifest.uid == UID
    told = {output.uri: output.sha256 for output in finished.outputs}
    assert told == {f"s3://{bucket}/recon/outputs/shop/chair/{file.name}": file.sha256 for file in manifest.files}
    assert pod.files() == []


def test_an_archive_is_read_too(s3: S3, bucket: str, tmp_path: Path) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for number in range(3):
            archive.writestr(f"{number}.jpg", photo(number))
    s3.client.put_object(Bucket=bucket, Key="recon/inputs/shop/autumn/chair.zip", Body=content.getvalue())
    Pod(s3, bucket, tmp_path).run(input_path="autumn/chair.zip", output_path="models/chair")
    assert_whole(published(s3, bucket, "models/chair"))


def test_a_bucket_without_a_prefix_will_do(s3: S3, tmp_path: Path) -> None:
    bucket = s3.bucket("no-prefix", {f"inputs/shop/chair/{number}.jpg": photo(number) for number in range(3)})
    Pod(s3, bucket, tmp_path, prefix="").run()
    assert f"outputs/shop/chair/{MANIFEST}" in s3.objects(bucket)


def test_another_pod_finds_what_is_published(s3: S3, bucket: str, tmp_path: Path) -> None:
    first = Pod(s3, bucket, tmp_path / "first").run()
    before, second = published(s3, bucket), Pod(s3, bucket, tmp_path / "second")
    found = second.run(2)
    assert (found.outputs, found.metrics) == (first.outputs, first.metrics)
    assert second.model.runs == 0
    assert published(s3, bucket) == before


@pytest.mark.parametrize("refused", [1, 3, 5], ids=["before its first object", "between two", "before its manifest"])
@pytest.mark.parametrize("same", [True, False], ids=["on the same Pod", "on another Pod"])
def test_the_next_attempt_ends_what_one_began(s3: S3, bucket: str, tmp_path: Path, refused: int, same: bool) -> None:
    first = Pod(s3, bucket, tmp_path / "first")
    with pytest.raises(JobCancelled):
        first.run(refuses=(refused, reasons.WORKER_STOPPED))
    assert MANIFEST not in published(s3, bucket)
    second = first if same else Pod(s3, bucket, tmp_path / "second")
    second.run(2)
    assert assert_whole(published(s3, bucket)).attempt == (1 if same else 2)
    assert (first.model.runs, second.model.runs) == (1, 1)


def test_a_later_job_takes_the_place_of_an_earlier_one(s3: S3, bucket: str, tmp_path: Path) -> None:
    pod = Pod(s3, bucket, tmp_path)
    pod.run(uid=OTHER)
    pod.run()
    assert assert_whole(published(s3, bucket)).uid == UID


@pytest.mark.parametrize("path", ["../other/chair", "/recon/inputs/other/chair", "chair/../../other/chair"])
def test_a_tenants_paths_stay_below_its_prefix(s3: S3, bucket: str, tmp_path: Path, path: str) -> None:
    before = s3.objects(bucket)
    with pytest.raises(UsageError):
        Pod(s3, bucket, tmp_path).run(input_path=path)
    with pytest.raises(UsageError):
        Pod(s3, bucket, tmp_path).run(output_path=path)
    assert s3.objects(bucket) == before


def test_photos_that_are_not_there_are_the_users_to_bring(s3: S3, bucket: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"input.path 'table' \(s3://.*/inputs/shop/table\) does not exist") as raised:
        Pod(s3, bucket, tmp_path).run(input_path="table")
    assert raised.value.reason is reasons.INPUT_NOT_FOUND


def test_each_bucket_sees_its_own_keys_alone(
    s3: S3, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs, seen = s3.bucket(f"{bucket}-theirs"), set[tuple[str, str]]()
    from aiobotocore.httpsession import AIOHTTPSession

    send = AIOHTTPSession.send

    async def watch(self: Any, request: Any) -> Any:
        signature = str(request.headers.get("authorization", b""))
        seen.add((request.url.split("/")[3].partition("?")[0], signature.partition("Credential=")[2].partition("/")[0]))
        return await send(self, request)

    monkeypatch.setattr(AIOHTTPSession, "send", watch)
    secret = Credentials(values={"AWS_ACCESS_KEY_ID": "AKIATHEIRS", "AWS_SECRET_ACCESS_KEY": "theirs"})
    remote = RemoteAccess(RemotePolicy(s3_endpoint_url=s3.url), AttemptCredentials(task=f"{UID}.1", output=secret))
    pod = Pod(s3, bucket, tmp_path)
    finished = pod.run(remote=remote, output_url=f"s3://{theirs}/chair")
    assert seen == {(bucket, ACCESS_KEY), (theirs, "AKIATHEIRS")}
    assert all(output.uri.startswith(f"s3://{theirs}/chair/") for output in finished.outputs)
    assert f"chair/{MANIFEST}" in s3.objects(theirs)
    assert published(s3, bucket) == {}
    assert pod.files() == []


# --- removing -----------------------------------------------------------------------------------------------------


def test_what_a_killed_upload_has_left_is_known_for_its_jobs(s3: S3, bucket: str, tmp_path: Path) -> None:
    pod = Pod(s3, bucket, tmp_path)
    with pytest.raises(JobCancelled):
        pod.run(refuses=(5, reasons.WORKER_STOPPED))
    assert set(published(s3, bucket)) == {"mesh.ply", "more/names.txt", "report.json", MARK}
    pod.storage.withdraw_upload("shop", "chair", OTHER)
    assert set(published(s3, bucket)) == {"mesh.ply", "more/names.txt", "report.json", MARK}
    pod.storage.withdraw_upload("shop", "chair", UID)
    assert published(s3, bucket) == {}


def test_what_was_begun_stays_known_while_the_next_attempt_works(s3: S3, bucket: str, tmp_path: Path) -> None:
    with pytest.raises(JobCancelled):
        Pod(s3, bucket, tmp_path / "first").run(refuses=(5, reasons.WORKER_STOPPED), parameters={"extra": "old.txt"})
    second = Pod(s3, bucket, tmp_path / "second")
    with pytest.raises(UsageError):
        second.run(2, input_path="missing")
    assert "old.txt" in published(s3, bucket)
    third = Pod(s3, bucket, tmp_path / "third")
    with pytest.raises(JobCancelled):
        third.run(3, refuses=(3, reasons.WORKER_STOPPED))
    third.storage.remove_outputs("shop", "chair", UID)
    assert published(s3, bucket) == {}


def test_nothing_is_left_of_what_another_job_had_begun(s3: S3, bucket: str, tmp_path: Path) -> None:
    pod = Pod(s3, bucket, tmp_path)
    with pytest.raises(JobCancelled):
        pod.run(uid=OTHER, refuses=(6, reasons.WORKER_STOPPED), parameters={"extra": "old.txt"})
    assert "old.txt" in published(s3, bucket)
    pod.run()
    assert assert_whole(published(s3, bucket)).uid == UID


def test_two_jobs_never_mix_at_one_place(s3: S3, bucket: str, tmp_path: Path) -> None:
    pod, other = Pod(s3, bucket, tmp_path / "pod"), Pod(s3, bucket, tmp_path / "other")
    with pytest.raises(TransientError, match="another job publishes there too"):
        pod.run(between=lambda: other.run(uid=OTHER))
    assert assert_whole(published(s3, bucket)).uid == OTHER
    pod.run(2)
    assert assert_whole(published(s3, bucket)).uid == UID


def test_keys_that_are_not_accepted_any_more_are_no_sign_of_an_empty_place(
    s3: S3, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from s3fs import S3FileSystem

    pod = Pod(s3, bucket, tmp_path)
    pod.run()

    async def refuse(*_: Any, **__: Any) -> Any:
        raise PermissionError("Access Denied")

    monkeypatch.setattr(S3FileSystem, "_info", refuse)
    with pytest.raises(TransientError, match="administrator"):
        pod.storage.remove_outputs("shop", "chair", UID)


def test_a_jobs_outputs_go_and_nobody_elses(s3: S3, bucket: str, tmp_path: Path) -> None:
    pod = Pod(s3, bucket, tmp_path)
    pod.run()
    s3.client.put_object(Bucket=bucket, Key="recon/outputs/shop/chair/notes.txt", Body=b"of a person")
    pod.run(uid=OTHER, output_path="chair/inner")
    pod.storage.remove_outputs("shop", "chair", OTHER)
    assert MANIFEST in published(s3, bucket)
    pod.storage.remove_outputs("shop", "../shop/chair", UID)
    assert MANIFEST in published(s3, bucket)
    pod.storage.remove_outputs("shop", "chair", UID)
    pod.storage.remove_outputs("shop", "chair", UID)
    assert {name for name in published(s3, bucket) if not name.startswith("inner/")} == {"notes.txt"}
    assert assert_whole(published(s3, bucket, "chair/inner")).uid == OTHER


def test_what_a_later_job_has_published_there_stays(s3: S3, bucket: str, tmp_path: Path) -> None:
    pod = Pod(s3, bucket, tmp_path)
    pod.run()
    pod.run(uid=OTHER)
    pod.storage.remove_outputs("shop", "chair", UID)
    assert assert_whole(published(s3, bucket)).uid == OTHER


# --- a worker -----------------------------------------------------------------------------------------------------


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with running_site(tmp_path) as running:
        yield running


def variables(s3: S3, bucket: str) -> dict[str, str]:
    """Settings of a worker whose storage is the bucket."""
    return {
        "STORAGE_URL": f"s3://{bucket}/recon",
        "STORAGE_ACCESS_KEY_ID": ACCESS_KEY,
        "STORAGE_SECRET_ACCESS_KEY": SECRET_KEY,
        "STORAGE_ENDPOINT_URL": s3.url,
    }


def test_a_worker_reports_what_another_has_published_and_keeps_no_steps(
    s3: S3, bucket: str, site: Site, tmp_path: Path
) -> None:
    job = f"job-{UID[:8]}"
    site.start_worker(**variables(s3, bucket), JOB_STORAGE_PATH=str(tmp_path / "one"))
    first = site.submit(1, uid=UID, seconds=0.1).wait_stopped()
    assert first.outcome == "completed", first.message
    before = published(s3, bucket, job)
    assert_whole(before)
    left_by_another = tmp_path / "two" / "work" / OTHER / "steps"
    left_by_another.mkdir(parents=True)
    site.workers[0].kill()
    site.start_worker(**variables(s3, bucket), JOB_STORAGE_PATH=str(tmp_path / "two"))
    second = site.submit(2, uid=UID, crash="kill").wait_stopped()
    assert (second.outcome, second.outputs) == ("completed", first.outputs), second.message
    assert published(s3, bucket, job) == before
    assert [path for pod in ("one", "two") for path in (tmp_path / pod).rglob("*") if path.is_file()] == []
    assert not left_by_another.exists()
    logs = b"".join(worker.log.read_bytes() for worker in site.workers)
    assert SECRET_KEY.encode() not in logs


def test_a_job_that_is_cancelled_leaves_nothing(s3: S3, bucket: str, site: Site, tmp_path: Path) -> None:
    site.start_worker(**variables(s3, bucket), JOB_STORAGE_PATH=str(tmp_path / "one"))
    job = f"job-{UID[:8]}"
    attempt = site.submit(1, uid=UID, seconds=60)
    wait_for("it works", lambda: MARK in published(s3, bucket, job))
    site.redis.set(cancel_key(UID), "confirmed")
    assert attempt.wait_stopped().outcome == "cancelled"
    assert published(s3, bucket, job) == {}


@pytest.mark.parametrize("cancelled", [True, False], ids=["its job was cancelled", "it has crashed"])
def test_the_upload_of_a_killed_attempt_goes_where_nobody_wants_it(
    s3: S3, bucket: str, site: Site, tmp_path: Path, cancelled: bool
) -> None:
    pod = Pod(s3, bucket, tmp_path / "pod")
    with pytest.raises(JobCancelled):
        pod.run(refuses=(5, reasons.WORKER_STOPPED))
    before = published(s3, bucket)
    if cancelled:
        site.redis.set(cancel_key(UID), "confirmed")
    folder = {"JOB_STORAGE_PATH": str(pod.storage.root), "CELERY_BROKER_URL": f"{site.url}/0"}
    named = {name.lower(): value for name, value in (variables(s3, bucket) | folder).items()}
    main = MainProcess(WorkerSettings.model_validate(named), tmp_path, boot_id="1")
    dead = RunningAttempt(
        uid=UID,
        attempt=1,
        namespace="shop",
        name="chair",
        pid=1,
        started_at=datetime.now(UTC),
        began=time.monotonic(),
        owner=ClaimOwner(worker="w", boot_id="1", nonce=""),
        output_path="chair",
    )
    main.crash_reporter.report(dead)
    for thread in threading.enumerate():
        if thread.name == "withdraw":
            thread.join()
    value = site.redis.get(result_key(UID, 1))
    assert isinstance(value, bytes)
    result = AttemptResult.model_validate_json(value)
    assert result.outcome is (Outcome.CANCELLED if cancelled else Outcome.FAILED)
    assert published(s3, bucket) == ({} if cancelled else before)
