"""Workers of the local cluster: the same program as in a Pod, with Redis and the storage, and no Kubernetes credentials."""

import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

import redis

from recon_api.keys import DEFAULT_GPU_CLASS, worker_key
from recon_api.payload import WorkerDescription
from recon_dev.probes import PROBE_TIMEOUT_S
from recon_dev.processes import Component
from recon_dev.redis_users import WORKER, RedisUser
from recon_dev.state import Settings, StateDir
from recon_dev.valkey import STATE_DB, redis_url

KUBERNETES_VARIABLES = ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT", "KUBEBUILDER_ASSETS")


def worker(
    state: StateDir,
    settings: Settings,
    number: int = 0,
    *,
    gpu_class: str = DEFAULT_GPU_CLASS,
    extra_env: Mapping[str, str] | None = None,
) -> Component:
    """Return a worker; it is ready once it has registered in Redis."""
    name = f"worker-{number}"
    registration = Registration(redis_url(settings, STATE_DB), name)
    environment = {
        **application_env(state, settings, WORKER),
        "WORKER_NAME": name,
        "NODE_NAME": platform.node(),
        "GPU_CLASS": gpu_class,
        **(extra_env or {}),
    }
    return Component(
        name=name,
        command=[sys.executable, "-m", "recon_worker", "worker"],
        env=environment,
        prepare=registration.remember,
        ready=registration.renewed,
        cwd=state.root,
        ready_within_s=120.0,
        stop_within_s=30.0,
    )


def application_env(state: StateDir, settings: Settings, user: RedisUser) -> dict[str, str]:
    """Return the environment that operator and workers share: Redis and the storage, and nothing of Kubernetes."""
    inherited = {name: value for name, value in os.environ.items() if name not in KUBERNETES_VARIABLES}
    return inherited | {
        "CELERY_BROKER_URL": redis_url(settings, user=user),
        "CELERY_RESULT_BACKEND": redis_url(settings, user=user),
        "REDIS_STATE_DB": str(STATE_DB),
        "JOB_STORAGE_PATH": str(state.storage),
        "CREDENTIALS_KEY": settings.credentials_key,
        "PYTHONUNBUFFERED": "1",
    }


@dataclass
class Registration:
    """A worker's own description in Redis; that of an earlier process of the same name is told apart by its boot id."""

    url: str
    name: str
    _earlier: str = field(default="", init=False)

    def remember(self) -> None:
        """Take note of the process that is registered now."""
        self._earlier = self.boot_id()

    def renewed(self) -> bool:
        """Say whether another process than the noted one is registered."""
        return self.boot_id() not in ("", self._earlier)

    def boot_id(self) -> str:
        """Return the boot id of the registered process; empty where there is none, or no Redis."""
        try:
            with redis.Redis.from_url(self.url, socket_timeout=PROBE_TIMEOUT_S) as client:
                value = client.get(worker_key(self.name))
        except redis.RedisError:
            return ""
        return WorkerDescription.model_validate_json(value).boot_id if isinstance(value, bytes) else ""
