"""Settings that operator and worker both read, by the environment of either."""

import pytest
from cryptography.fernet import Fernet
from pydantic import ValidationError

from recon_operator.settings import OperatorSettings
from recon_runtime.settings import ProcessSettings, split_at_commas
from recon_worker.settings import WorkerSettings

SIDES: list[type[OperatorSettings] | type[WorkerSettings]] = [OperatorSettings, WorkerSettings]


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ProcessSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        pytest.param("", (), id="nothing"),
        pytest.param("a, b ,,c,", ("a", "b", "c"), id="spaces and empty parts"),
        pytest.param(("a,b",), ("a,b",), id="what is split already"),
    ],
)
def test_what_commas_separate(value: object, parts: tuple[str, ...]) -> None:
    assert split_at_commas(value) == parts


def test_names_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAMESPACES", "scans, rooms,")
    monkeypatch.setenv("URL_ALLOWED_PRIVATE_HOSTS", "MinIO.example.com ,10.0.0.1")
    assert OperatorSettings().namespaces == ("scans", "rooms")
    assert WorkerSettings().url_allowed_private_hosts == ("minio.example.com", "10.0.0.1")


@pytest.mark.parametrize("side", SIDES)
def test_both_servers_certificates_are_checked(side: type[ProcessSettings], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELERY_BROKER_URL", "rediss://broker:6379/0")
    monkeypatch.setenv("CELERY_RESULT_BACKEND", "rediss://states:6379/0")
    monkeypatch.setenv("REDIS_CA_FILE", "/ca.crt")
    settings = side()
    asked = "?ssl_cert_reqs=required&ssl_ca_certs=/ca.crt"
    assert settings.celery_broker_url == f"rediss://broker:6379/0{asked}"
    assert settings.celery_result_backend == f"rediss://states:6379/0{asked}"


@pytest.mark.parametrize("side", SIDES)
def test_a_bad_key_is_refused_and_not_shown(side: type[ProcessSettings], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_KEY", "no-such-key")
    with pytest.raises(ValidationError, match="must be a Fernet key") as refused:
        side()
    assert "no-such-key" not in str(refused.value)


@pytest.mark.parametrize("side", SIDES)
def test_keys_are_kept_as_given_and_an_empty_one_is_none(
    side: type[ProcessSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = ",".join(Fernet.generate_key().decode() for _ in range(2))
    monkeypatch.setenv("CREDENTIALS_KEY", keys)
    kept = side().credentials_key
    assert kept is not None
    assert kept.get_secret_value() == keys
    monkeypatch.setenv("CREDENTIALS_KEY", "")
    assert side().credentials_key is None
