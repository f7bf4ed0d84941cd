"""What a job's paths name in the installation's bucket, and whose credentials are used where. No server is asked."""

from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from redis import Redis
from redis.exceptions import ConnectionError  # noqa: A004 - the builtin is not meant here

from recon_api import reasons
from recon_api.credentials import AttemptCredentials, Credentials
from recon_api.errors import UsageError
from recon_api.keys import attempt_key
from recon_api.payload import TaskPayload
from recon_worker.attempt.ended_jobs import ended_jobs
from recon_worker.inputs.limits import InputLimits
from recon_worker.remote.bucket_access import _endpoint
from recon_worker.remote.locations import RemoteAccess, RemoteLocation, RemotePolicy
from recon_worker.stages.fetch_photos import RemotePhotos
from recon_worker.storage.bucket import BucketStorage

OWN = Credentials(values={"AWS_ACCESS_KEY_ID": "of-the-installation", "AWS_SECRET_ACCESS_KEY": "x"})
JOBS = Credentials(values={"AWS_ACCESS_KEY_ID": "of-the-job", "AWS_SECRET_ACCESS_KEY": "y"})
BUCKET = BucketStorage(Path("/disk"), "s3://store/recon", OWN, RemotePolicy(s3_endpoint_url="http://minio:9000"))
REMOTE = RemoteAccess(RemotePolicy(), AttemptCredentials(task="u.1", input=JOBS, output=JOBS))
UID, OTHER = "0f5c3a1e-0000-4000-8000-000000000001", "0f5c3a1e-0000-4000-8000-000000000002"


def payload(**fields: Any) -> TaskPayload:
    return TaskPayload(job_id=UID, namespace="shop", name="chair-job", attempt=1, **fields)


def photos_of(job: TaskPayload, remote: RemoteAccess) -> RemoteLocation:
    photos = BUCKET.photos(job, remote, InputLimits())
    assert isinstance(photos, RemotePhotos)
    return photos.location


def result_of(job: TaskPayload, remote: RemoteAccess) -> RemoteLocation:
    return BUCKET._result(job, remote)


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
    location = photos_of(payload(input_path=path), REMOTE)
    assert (location.url, location.credentials, location.bucket) == (url, OWN, "store")
    assert f"{location.bucket}/{location.path}" == url.removeprefix("s3://")


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        pytest.param({}, "s3://store/recon/outputs/shop/chair-job", id="named as the job"),
        pytest.param({"output_path": "models/chair"}, "s3://store/recon/outputs/shop/models/chair", id="by its path"),
    ],
)
def test_the_result_goes_below_the_namespaces_prefix(fields: dict[str, str], url: str) -> None:
    location = result_of(payload(**fields), REMOTE)
    assert (location.url, location.credentials) == (url, OWN)


@pytest.mark.parametrize("path", ["../other/chair", "a/../../other", "/etc", "..", "", "a\0b"])
def test_no_input_path_leaves_its_namespace(path: str) -> None:
    with pytest.raises(UsageError) as raised:
        BUCKET.input("shop", path, InputLimits())
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
    with pytest.raises(UsageError):
        BUCKET.input(namespace, "chair", InputLimits())
    with pytest.raises(UsageError):
        BUCKET.output(namespace, "chair")


def test_a_jobs_own_urls_get_the_jobs_credentials_and_policy_alone() -> None:
    job = payload(input_url="s3://store/recon/inputs/other/x", output_url="s3://store/recon/outputs/other/x")
    for location in (photos_of(job, REMOTE), result_of(job, REMOTE)):
        assert (location.credentials, location.policy.s3_endpoint_url, location.storage_path) == (JOBS, None, None)
    for location in (photos_of(job, RemoteAccess()), result_of(job, RemoteAccess())):
        assert not location.credentials.values


def test_a_jobs_secret_says_nothing_of_the_installations_bucket() -> None:
    secret = Credentials(values={**JOBS.values, "endpointURL": "https://elsewhere.example.com"})
    remote = RemoteAccess(RemotePolicy(), AttemptCredentials(task="u.1", input=secret, output=secret))
    mixed = payload(input_path="chair", output_url="s3://theirs/chair")
    photos, result = photos_of(mixed, remote), result_of(mixed, remote)
    assert (photos.credentials, _endpoint(photos)) == (OWN, "http://minio:9000")
    assert (result.credentials, _endpoint(result)) == (secret, "https://elsewhere.example.com")


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
    storage = BucketStorage(tmp_path, "s3://store")
    for uid in (UID, OTHER):
        storage.steps(uid).mkdir(parents=True)
    storage.remove_leftovers(UID, partial(ended_jobs, cast("Redis", Numbers(known))))
    assert {path.name for path in (tmp_path / "work").iterdir()} == left
    BucketStorage(tmp_path / "empty", "s3://store").remove_leftovers(
        UID, partial(ended_jobs, cast("Redis", Numbers({})))
    )
