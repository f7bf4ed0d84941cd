"""How many writes the API server itself takes, with nobody else at work: the most that any operator could reach here."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from benchmarks.api_server import JOBS, ApiServer
from benchmarks.jobs import manifest

WARM_UP_JOBS = 50
"""A new API server is slow until it has served the resource for a while."""


@dataclass(frozen=True)
class Ceiling:
    """Writes a second of this machine's API server and etcd, with this client."""

    creates_per_s: float
    status_patches_per_s: float


def measure_ceiling(server: ApiServer, namespace: str, count: int, clients: int) -> Ceiling:
    """Create `count` jobs, patch the status of each, and delete them; `clients` requests are under way at a time."""
    _write(server, namespace, WARM_UP_JOBS, clients)
    return _write(server, namespace, count, clients)


def _write(server: ApiServer, namespace: str, count: int, clients: int) -> Ceiling:
    jobs = JOBS.format(namespace=namespace)
    names = [f"ceiling-{number:05}" for number in range(count)]
    status = {"status": {"phase": "Queued", "message": "Waits for a worker.", "observedGeneration": 1}}
    with ThreadPoolExecutor(clients) as pool:

        def rate(write: Callable[[str], object]) -> float:
            start = time.perf_counter()
            list(pool.map(write, names))
            return count / (time.perf_counter() - start)

        creates = rate(lambda name: server.send("POST", jobs, manifest(name)))
        patches = rate(lambda name: server.send("PATCH", f"{jobs}/{name}/status", status))
        rate(lambda name: server.send("DELETE", f"{jobs}/{name}"))
    return Ceiling(creates_per_s=creates, status_patches_per_s=patches)
