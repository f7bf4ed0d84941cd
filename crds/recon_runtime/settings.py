"""The settings that operator and worker both read from the environment: Redis, the credentials' key, traces, logs."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from recon_api.credentials import checked_key
from recon_runtime.redis_url import with_tls

URL_FIELDS = ("celery_broker_url", "celery_result_backend")


def split_at_commas(value: object) -> object:
    """Return the parts of a text without empty ones and without spaces around them; anything else as it is."""
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


CommaSeparated = Annotated[tuple[str, ...], NoDecode, BeforeValidator(split_at_commas)]
"""Texts that one variable holds, separated by commas."""


class ProcessSettings(BaseSettings):
    """Environment variables of the same names in capitals."""

    model_config = SettingsConfigDict(frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True)

    celery_broker_url: str = "redis://localhost:6379/0"
    """The Redis database that messages go through."""
    celery_result_backend: str = "redis://localhost:6379/0"
    """Where Celery keeps states, and with them the progress of jobs."""
    redis_ca_file: str = ""
    """Certificates by which the server of `rediss://` URLs is known; the system's where empty."""
    redis_state_db: int = Field(default=1, ge=0)
    """Database of the keys that operator and worker share, on the broker's server (`recon_api.keys`)."""

    credentials_key: SecretStr | None = None
    """Fernet key, the same for operator and workers, that seals the values of the Secrets which jobs name; without it such jobs fail.
    Several, separated by commas: the first seals, all open."""

    otel_exporter_otlp_endpoint: str = ""
    """Where traces go by OTLP over HTTP, such as http://collector:4318; none are made where it is empty. OpenTelemetry's other variables
    (`OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_TRACES_SAMPLER`, …) hold too."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["json", "text"] = "text"

    @model_validator(mode="before")
    @classmethod
    def _with_tls(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Have the certificates of both servers checked, by REDIS_CA_FILE where it is set."""
        ca_file = str(values.get("redis_ca_file") or "")
        checked = {name: with_tls(url, ca_file) for name in URL_FIELDS if isinstance(url := values.get(name), str)}
        return {**values, **checked}

    @field_validator("credentials_key")
    @classmethod
    def _is_a_key(cls, value: SecretStr | None) -> SecretStr | None:
        return SecretStr(checked_key(value.get_secret_value())) if value and value.get_secret_value() else None
