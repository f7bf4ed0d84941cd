"""What a job's paths name in the installation's bucket, and whose credentials are used where. No server is asked."""

import errno
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import ValidationError
from redis import Redis
from redis.exceptions import ConnectionError  # noqa: A004 - the builtin is not meant here

from recon_api import reasons
from recon_api.credentials import AttemptCredentials, Credentials
from recon_api.errors import TransientError, UsageError
from recon_api.keys import attempt_key
from recon_api.payload import TaskPayload
from recon_worker.attempt.scratch_cleanup import remove_leftovers
from recon_worker.publishing.seal import Manifest, PublishedFile
from recon_worker.remote.addresses import Gate
from recon_worker.remote.buckets import _endpoint
from recon_worker.remote.files import whose_move
from recon_worker.remote.objects import MARK, names_in
from recon_worker.remote.places import Place, RemoteAccess, RemotePolicy
from recon_worker.remote.results import _Seen
from recon_worker.settings import WorkerSettings
from recon_worker.storage.bucket import BucketStorage, photos_of, result_of
from recon_worker.storage.volume import Storage

OWN = Credentials(values={"AWS_ACCESS_KEY_ID": "of-the-installation", "AWS_SECRET_ACCESS_KEY": "x"})
JOBS = Credentials(values={"AWS_ACCESS_KEY_ID": "of-the-job", "AWS_SECRET_ACCESS_KEY": "y"})
BUCKET = BucketStorage("s3://store/recon", OWN, RemotePolicy(s3_endpoint_url="http://minio:9000"))
REMOTE = RemoteAccess(RemotePolicy(), AttemptCredentials(task="u.1", input=JOBS, output=JOBS))
UID, OTHER = "0f5c3a1e-0000-4000-8000-000000000001", "0f5c3a1e-0000-4000-8000-000000000002"


def payload(**fields: Any) -> TaskPayload:
    return TaskPayload(job_id=UID, namespace="shop", name="chair-job", attempt=1, **fields)


# --- places -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "url"),
    [
        pytest.param("chair", "s3://store/recon/inputs/shop/chair", id="a folder or an archive"),
        pytest.param("autumn/chair.zip", "s3://store/recon/inputs/shop/autumn/chair.zip", id="below a folder"),
        pytest.param("./autumn//chair/", "s3://store/recon/inputs/shop/autumn/chair", id="written oddly"),
        pytest.param(".", "s3://store/recon/inputs/shop/", id="all of the namespace's"),
        pytest.param("a #?&+ü", "s3://store/recon/inputs/shop/a #?&+ü", id="a name that a URL could not have"),
    ],
)
def test_photos_are_below_the_namespaces_prefix(path: str, url: str) -> None:
    place = photos_of(payload(input_path=path), REMOTE, BUCKET)
    assert place is not None
    assert (place.url, place.credentials, place.bucket) == (url, OWN, "store")
    assert f"{place.bucket}/{place.path}" == url.removeprefix("s3://")


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        pytest.param({}, "s3://store/recon/outputs/shop/chair-job", id="named as the job"),
        pytest.param({"output_path": "models/chair"}, "s3://store/recon/outputs/shop/models/chair", id="by its path"),
    ],
)
def test_the_result_goes_below_the_namespaces_prefix(fields: dict[str, str], url: str) -> None:
    place = result_of(payload(**fields), REMOTE, BUCKET)
    assert place is not None
    assert (place.url, place.credentials) == (url, OWN)


@pytest.mark.parametrize("path", ["../other/chair", "a/../../other", "/etc", "..", "", "a\0b"])
def test_no_input_path_leaves_its_namespace(path: str) -> None:
    with pytest.raises(UsageError) as raised:
        BUCKET.input("shop", path)
    assert raised.value.reason is reasons.INPUT_REJECTED


@pytest.mark.parametrize(
    "path", ["../other/chair", "a/../../other", "/etc", "..", "", ".", "a\0b", ".hidden", "a/.b", "a?versionId=1"]
)
def test_no_output_path_leaves_its_namespace(path: str) -> None:
    with pytest.raises(UsageError) as raised:
        BUCKET.output("shop", path)
    assert raised.value.reason is reasons.INVALID_SPEC


@pytest.mark.parametrize("namespace", ["", "..", "a/b", "shop/../other", "Shop", "a\n"])
def test_what_is_no_namespace_has_no_prefix(namespace: str) -> None:
    for find in (BUCKET.input, BUCKET.output):
        with pytest.raises(UsageError):
            find(namespace, "chair")


# --- credentials --------------------------------------------------------------------------------------------------


def test_a_jobs_own_urls_get_the_jobs_credentials_and_policy_alone() -> None:
    job = payload(input_url="s3://store/recon/inputs/other/x", output_url="s3://store/recon/outputs/other/x")
    for place in (photos_of(job, REMOTE, BUCKET), result_of(job, REMOTE, BUCKET)):
        assert place is not None
        assert (place.credentials, place.policy.s3_endpoint_url, place.storage_path) == (JOBS, None, None)
    for place in (photos_of(job, RemoteAccess(), BUCKET), result_of(job, RemoteAccess(), BUCKET)):
        assert place is not None
        assert not place.credentials.values


def test_a_jobs_secret_says_nothing_of_the_installations_bucket() -> None:
    secret = Credentials(values={**JOBS.values, "endpointURL": "https://elsewhere.example.com"})
    remote = RemoteAccess(RemotePolicy(), AttemptCredentials(task="u.1", input=secret, output=secret))
    mixed = payload(input_path="chair", output_url="s3://theirs/chair")
    photos, result = photos_of(mixed, remote, BUCKET), result_of(mixed, remote, BUCKET)
    assert photos is not None
    assert result is not None
    assert (photos.credentials, _endpoint(photos)) == (OWN, "http://minio:9000")
    assert (result.credentials, _endpoint(result)) == (secret, "https://elsewhere.example.com")


def test_without_a_bucket_paths_are_no_urls() -> None:
    assert photos_of(payload(input_path="chair"), REMOTE, None) is None
    assert result_of(payload(), REMOTE, None) is None


# --- messages -----------------------------------------------------------------------------------------------------


def test_messages_name_the_field_that_the_user_wrote() -> None:
    place = BUCKET.input("shop", "chair")
    missing = whose_move(place, FileNotFoundError(), Gate())
    assert isinstance(missing, UsageError)
    assert missing.reason is reasons.INPUT_NOT_FOUND
    assert missing.message.startswith("input.path 'chair' (s3://store/recon/inputs/shop/chair) does not exist")


@pytest.mark.parametrize(
    ("place", "error"),
    [
        pytest.param(BUCKET.input("shop", "chair"), PermissionError("Access Denied"), id="keys that are not accepted"),
        pytest.param(BUCKET.output("shop", "chair"), FileNotFoundError("no such bucket"), id="no such bucket"),
        pytest.param(
            BUCKET.output("shop", "chair"), OSError(errno.EINVAL, "Bad Request"), id="a token that has expired"
        ),
    ],
)
def test_what_the_administrator_must_set_right_is_no_fault_of_the_job(place: Place, error: Exception) -> None:
    move = whose_move(place, error, Gate())
    assert isinstance(move, TransientError)
    assert move.reason is reasons.STORAGE_FAILED
    assert "administrator" in move.message


# --- settings -----------------------------------------------------------------------------------------------------


def settings(**variables: str) -> WorkerSettings:
    return WorkerSettings.model_validate({name.lower(): value for name, value in variables.items()})


KEYS = {"STORAGE_ACCESS_KEY_ID": "key", "STORAGE_SECRET_ACCESS_KEY": "s3cret"}


def test_the_settings_tell_the_bucket() -> None:
    found = settings(STORAGE_URL="s3://store/recon/", S3_ENDPOINT_URL="http://one", **KEYS).bucket_storage()
    assert found is not None
    assert (found.url, found.policy.s3_endpoint_url) == ("s3://store/recon", "http://one")
    assert found.credentials.values == {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "s3cret"}
    its = {"STORAGE_ENDPOINT_URL": "http://two\n", "STORAGE_CA_FILE": "/two.crt"}
    own = settings(STORAGE_URL="s3://s", S3_ENDPOINT_URL="http://one", **its, **KEYS)
    bucket, jobs = own.bucket_storage(), own.remote_policy()
    assert bucket is not None
    assert (bucket.policy.s3_endpoint_url, bucket.policy.ca_file) == ("http://two", "/two.crt")
    assert jobs.s3_endpoint_url == "http://one", "jobs do not get the storage's own"
    assert jobs.ca_file != "/two.crt"
    assert settings().bucket_storage() is None


def test_no_secret_is_shown() -> None:
    made = settings(STORAGE_URL="s3://store", STORAGE_SESSION_TOKEN="t0ken", **KEYS)
    for each in (made, made.bucket_storage(), BUCKET.input("shop", "chair")):
        assert not any(value in repr(each) for value in ("s3cret", "t0ken", "of-the-installation"))


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        pytest.param({"STORAGE_URL": "gs://store"}, "the URL of a bucket", id="another kind of bucket"),
        pytest.param({"STORAGE_URL": "/mnt/photos"}, "the URL of a bucket", id="a folder"),
        pytest.param({"STORAGE_URL": "s3://user:pw@store"}, "the URL of a bucket", id="a password"),
        pytest.param(
            {"STORAGE_URL": "s3://store", "STORAGE_ACCESS_KEY_ID": "key"},
            "belong together",
            id="a key without its secret",
        ),
        pytest.param(
            {"STORAGE_URL": "s3://store"}, "STORAGE_URL needs STORAGE_ACCESS_KEY_ID", id="a bucket that lies open"
        ),
        pytest.param(
            {"STORAGE_URL": "s3://store", "STORAGE_ENDPOINT_URL": "minio:9000", **KEYS},
            "must be the URL of a server",
            id="a server without its scheme",
        ),
    ],
)
def test_settings_that_can_not_work_are_refused(variables: dict[str, str], said: str) -> None:
    with pytest.raises(ValidationError, match=said) as raised:
        settings(**variables)
    assert "pw" not in str(raised.value)


# --- whose a place is ---------------------------------------------------------------------------------------------


def manifest(uid: str, *names: str) -> Manifest:
    files = tuple(PublishedFile(name=name, bytes=1, sha256="", media_type="") for name in names)
    return Manifest(uid=uid, attempt=1, files=files)


def mark(uid: str, *names: str) -> bytes:
    return manifest(uid, *names).model_dump_json().encode()


@pytest.mark.parametrize(
    ("seen", "names"),
    [
        pytest.param(_Seen(None, b""), set(), id="nothing there"),
        pytest.param(_Seen(manifest(UID, "a", "b/c"), b""), {"a", "b/c"}, id="published"),
        pytest.param(_Seen(manifest(OTHER, "a"), b""), set(), id="another's"),
        pytest.param(_Seen(None, mark(UID, "a")), {"a"}, id="an upload that was broken off"),
        pytest.param(_Seen(None, mark(OTHER, "a")), set(), id="another's upload"),
        pytest.param(_Seen(manifest(UID, "a"), mark(OTHER, "a")), set(), id="another is about to publish there"),
        pytest.param(_Seen(manifest(OTHER, "a"), mark(UID, "b")), set(), id="another has published since"),
        pytest.param(_Seen(manifest(UID, "a"), f"{OTHER}.1".encode()), {"a"}, id="another works for that place"),
        pytest.param(_Seen(None, f"{UID}.1".encode()), set(), id="nothing was uploaded yet"),
    ],
)
def test_only_a_jobs_own_objects_are_named(seen: _Seen, names: set[str]) -> None:
    assert seen.names_of(UID) == names


def test_a_manifest_leads_nowhere_else() -> None:
    assert names_in(manifest(UID, "a", "../b", "c/../../d", "manifest.json", MARK)) == {"a"}


# --- a worker's own disk ------------------------------------------------------------------------------------------


class Numbers:
    """Redis, as far as it tells which attempts may run."""

    def __init__(self, known: dict[str, bytes] | None) -> None:
        self._known = known

    def mget(self, keys: list[str]) -> list[bytes | None]:
        if self._known is None:
            raise ConnectionError
        return [self._known.get(key) for key in keys]


@pytest.mark.parametrize(
    ("known", "left"),
    [
        pytest.param({}, {UID}, id="those that have ended go"),
        pytest.param({attempt_key(OTHER): b"2"}, {UID, OTHER}, id="one that is tried again stays"),
        pytest.param({attempt_key(OTHER): b"0"}, {UID, OTHER}, id="one that is suspended stays"),
        pytest.param(None, {UID, OTHER}, id="all stay while Redis is away"),
    ],
)
def test_the_steps_of_jobs_that_ended_elsewhere_go(
    tmp_path: Path, known: dict[str, bytes] | None, left: set[str]
) -> None:
    storage = Storage(tmp_path)
    for uid in (UID, OTHER):
        storage.steps(uid).mkdir(parents=True)
    remove_leftovers(storage, cast("Redis", Numbers(known)), UID)
    assert {path.name for path in (tmp_path / "work").iterdir()} == left
    remove_leftovers(Storage(tmp_path / "empty"), cast("Redis", Numbers({})), UID)
