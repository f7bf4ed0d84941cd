"""The storage that a worker's settings name, without its secrets."""

from recon_worker.settings import WorkerSettings
from recon_worker.storage.bucket import BucketStorage
from recon_worker.storage.configured import configured_storage
from recon_worker.storage.volume import VolumeStorage


def settings(**variables: str) -> WorkerSettings:
    return WorkerSettings.model_validate({name.lower(): value for name, value in variables.items()})


KEYS = {"STORAGE_ACCESS_KEY_ID": "key", "STORAGE_SECRET_ACCESS_KEY": "s3cret"}


def test_the_settings_name_the_bucket() -> None:
    found = configured_storage(settings(STORAGE_URL="s3://store/recon/", S3_ENDPOINT_URL="http://one", **KEYS))
    assert isinstance(found, BucketStorage)
    assert (found.url, found.policy.s3_endpoint_url) == ("s3://store/recon", "http://one")
    assert found.credentials.values == {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "s3cret"}
    its = {"STORAGE_ENDPOINT_URL": "http://two\n", "STORAGE_CA_FILE": "/two.crt"}
    own = settings(STORAGE_URL="s3://s", S3_ENDPOINT_URL="http://one", **its, **KEYS)
    bucket, jobs = configured_storage(own), own.remote_policy()
    assert isinstance(bucket, BucketStorage)
    assert (bucket.policy.s3_endpoint_url, bucket.policy.ca_file) == ("http://two", "/two.crt")
    assert jobs.s3_endpoint_url == "http://one", "jobs do not get the storage's own"
    assert jobs.ca_file != "/two.crt"
    assert isinstance(configured_storage(settings()), VolumeStorage)


def test_no_secret_is_shown() -> None:
    made = settings(STORAGE_URL="s3://store", STORAGE_SESSION_TOKEN="t0ken", **KEYS)
    for each in (made, configured_storage(made), configured_storage(made).output("shop", "chair")):
        assert not any(value in repr(each) for value in ("s3cret", "t0ken"))
