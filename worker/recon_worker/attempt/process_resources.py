"""What a process makes once, at its first use, and keeps from attempt to attempt."""

from functools import cache

from redis import Redis

from recon_worker.attempt.redis_client import state_redis
from recon_worker.device import device_of
from recon_worker.models.installed import Models
from recon_worker.settings import worker_settings
from recon_worker.storage.configured import configured_storage
from recon_worker.storage.storage import Storage
from recon_worker.telemetry.tracing import Tracing, make_tracing


@cache
def redis() -> Redis:
    """Return the client of the database that operator and workers share."""
    return state_redis(worker_settings())


@cache
def storage() -> Storage:
    """Return the installation's storage."""
    return configured_storage(worker_settings())


@cache
def tracing() -> Tracing:
    """Return what sends the spans of attempts."""
    return make_tracing(worker_settings().otel_exporter_otlp_endpoint)


@cache
def models() -> Models:
    """Return this process's models, which stay loaded from job to job."""
    settings = worker_settings()
    without = frozenset() if settings.enable_synthetic else frozenset({"synthetic"})
    return Models(settings.model_weights_path, device_of(settings.device), without=without)
