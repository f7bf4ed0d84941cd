"""Settings come from the environment, and those that cannot work are refused."""

import pytest
from pydantic import ValidationError

from recon_worker.settings import WorkerSettings


def settings(**variables: str) -> WorkerSettings:
    return WorkerSettings.model_validate({name.lower(): value for name, value in variables.items()})


KEYS = {"STORAGE_ACCESS_KEY_ID": "key", "STORAGE_SECRET_ACCESS_KEY": "s3cret"}


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://:secret@redis:6380/0")
    monkeypatch.setenv("GPU_CLASS", "a100")
    monkeypatch.setenv("INPUT_LIMITS__MAX_PHOTOS", "50")
    settings = WorkerSettings()
    assert (settings.celery_broker_url, settings.gpu_class) == ("redis://:secret@redis:6380/0", "a100")
    assert (settings.input_limits.max_photos, settings.input_limits.min_photos) == (50, 3)
    monkeypatch.setenv("LEASE_TTL_S", "-1")
    with pytest.raises(ValidationError, match="lease_ttl_s"):
        WorkerSettings()


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
