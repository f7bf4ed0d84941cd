"""The images under test: those that `cluster image` or `skaffold build` made, named by the environment."""

import os
from typing import Any


def operator_image() -> str:
    """Return the operator's image."""
    return os.environ.get("RECON_E2E_OPERATOR_IMAGE", "localhost/reconstruction-operator:e2e")


def worker_image() -> str:
    """Return the workers' image."""
    return os.environ.get("RECON_E2E_WORKER_IMAGE", "localhost/reconstruction-worker:e2e")


def redis_image() -> str:
    """Return the image of Redis."""
    return os.environ.get("RECON_E2E_REDIS_IMAGE", "localhost/redis:7")


def image_values() -> dict[str, Any]:
    """Return the chart's values that name the images."""
    return {
        "operator": {"image": _value(operator_image())},
        "worker": {"image": _value(worker_image())},
        "redis": {"builtIn": {"image": _value(redis_image())}},
    }


def _value(image: str) -> dict[str, str]:
    repository, _, tag = image.rpartition(":")
    return {"repository": repository, "tag": tag}
