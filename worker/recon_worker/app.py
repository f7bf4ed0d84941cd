"""The Celery application, and the worker's main process.

The main process takes messages and starts the one child that runs them; it never imports torch and never touches a GPU.
Each setting below has a failure behind it that it prevents; they are tried together in `tests/cluster`.
"""

from typing import Any

from celery import Celery

from recon_api.keys import VISIBILITY_TIMEOUT_S, queue_name
from recon_worker.messages.transport import check_messages
from recon_worker.settings import WorkerSettings


def create_celery_app(settings: WorkerSettings) -> Celery:
    """Return the application with its tasks, for a worker of the settings' pool."""
    check_messages()
    app = Celery("reconstruction", broker=settings.celery_broker_url, backend=settings.celery_result_backend)
    app.conf.update(celery_configuration(settings))
    app.autodiscover_tasks(["recon_worker"], related_name="task")
    return app


def celery_configuration(settings: WorkerSettings) -> dict[str, Any]:
    """Return all of Celery's settings that differ from its defaults."""
    return _MESSAGES | _WORKER | _CONNECTIONS | {"task_default_queue": queue_name(settings.gpu_class)}


_MESSAGES: dict[str, Any] = {
    "accept_content": ["json"],
    "task_serializer": "json",
    "result_serializer": "json",
    "task_track_started": True,
    # Early acknowledgement: with late ones a single TCP reset runs a job on two workers at once.
    "task_acks_late": False,
    "result_expires": 7 * 86_400,
    "worker_enable_remote_control": True,  # the operator revokes
    "worker_send_task_events": False,
    "worker_hijack_root_logger": False,
    "worker_redirect_stdouts": False,
}
_WORKER: dict[str, Any] = {
    # Tasks are found by the main process; a spawned child finds them by this.
    "imports": ("recon_worker.task",),
    "worker_pool": "prefork",
    "worker_concurrency": 1,
    # CUDA does not survive a fork.
    "worker_pool_start_method": "spawn",
    # A child imports torch before it says that it is up.
    "worker_proc_alive_timeout": 60.0,
    "worker_prefetch_multiplier": 1,
    # Otherwise an acknowledged message waits, lost to others, behind the running job.
    "worker_disable_prefetch": True,
    # Otherwise a restart of Redis kills the job.
    "worker_cancel_long_running_tasks_on_connection_loss": False,
}
_CONNECTIONS: dict[str, Any] = {
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,
    "broker_channel_error_retry": True,  # a master that was demoted
    "broker_transport_options": {
        "visibility_timeout": VISIBILITY_TIMEOUT_S,
        # Defaults wait for ever on a half-open network.
        "socket_timeout": 5,
        "socket_connect_timeout": 3,
        "socket_keepalive": True,
        "health_check_interval": 5,
    },
    "redis_socket_timeout": 5,
    "redis_socket_connect_timeout": 3,
    "redis_backend_health_check_interval": 10,
    # Otherwise a job that ends while Redis is down is stored as failed.
    "result_backend_always_retry": True,
}
