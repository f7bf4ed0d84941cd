"""`python -m recon_operator.smoke_test`: whether an installation works, by one job in each worker pool.

`helm test` runs it. The jobs have the model `synthetic`, which needs no photos and no GPU; they are removed afterwards, with their files.
"""

import argparse
import os
import secrets
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from recon_api.resource import API_VERSION, GROUP, KIND, PLURAL, VERSION, ReconstructionJob
from recon_api.status import Phase
from recon_operator.clients.identity import user_agent

LOOK_EVERY_S = 0.5
TTL_S = 600
"""How long a job stays that this program could not remove."""
REMOVED_WITHIN_S = 30.0
AT_LEAST_S = 2.0
"""What a pool gets even where those before it have used up the time."""


@dataclass(frozen=True)
class Namespace:
    """The jobs of one namespace."""

    api: client.CustomObjectsApi
    name: str

    @contextmanager
    def job(self, gpu_class: str, timeout_s: float) -> Iterator[str]:
        """Create a job for this pool, give its name, and remove it at the end, whatever happens."""
        manifest = _manifest(f"smoke-test-{secrets.token_hex(4)}", gpu_class, timeout_s)
        name = manifest["metadata"]["name"]
        self.api.create_namespaced_custom_object(GROUP, VERSION, self.name, PLURAL, manifest)
        try:
            yield name
        finally:
            self._remove(name)

    def read(self, job: str) -> ReconstructionJob:
        """Return a job as it is now."""
        found = self.api.get_namespaced_custom_object(GROUP, VERSION, self.name, PLURAL, job)
        return ReconstructionJob.model_validate(found)

    def _remove(self, name: str) -> None:
        """Remove a job. One that has finished is left to the operator, which removes its files too."""
        where = (GROUP, VERSION, self.name, PLURAL, name)
        if self.read(name).status.phase.finished:
            self.api.patch_namespaced_custom_object(*where, {"spec": {"ttlSecondsAfterFinished": 0}})
            if self._is_gone(name):
                return
        self.api.delete_namespaced_custom_object(*where)

    def _is_gone(self, name: str) -> bool:
        start = time.monotonic()
        while time.monotonic() - start < REMOVED_WITHIN_S:
            try:
                self.read(name)
            except ApiException as error:
                if error.status == HTTPStatus.NOT_FOUND:
                    return True
                raise
            time.sleep(LOOK_EVERY_S)
        return False


def _manifest(name: str, gpu_class: str, timeout_s: float) -> dict[str, Any]:
    """Return a job that ends and goes by itself, should this program be killed."""
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": name},
        "spec": {
            "model": "synthetic",
            "input": {"path": "none"},
            "output": {"retain": False},
            "parameters": {"noop": True},
            "gpuClass": gpu_class,
            "backoffLimit": 0,
            "preRunningDeadlineSeconds": int(timeout_s) + TTL_S,
            "ttlSecondsAfterFinished": TTL_S,
        },
    }


def smoke_test(namespace: Namespace, gpu_class: str, timeout_s: float) -> str:
    """Have the pool do a job; return what is wrong, as a sentence, or nothing."""
    start = time.monotonic()
    with namespace.job(gpu_class, timeout_s) as name:
        job = namespace.read(name)
        while not job.status.phase.finished and time.monotonic() - start < timeout_s:
            time.sleep(LOOK_EVERY_S)
            job = namespace.read(name)
    took_s = time.monotonic() - start
    if job.status.phase is Phase.SUCCEEDED:
        print(f"gpuClass {gpu_class}: ok, a job went from its creation to its end in {took_s:.1f} s", flush=True)
        return ""
    if job.status.phase.finished:
        return f"gpuClass {gpu_class}: the job ended as {job.status.phase.value}: {job.status.message}"
    return f"gpuClass {gpu_class}: after {took_s:.0f} s the job is still {_waiting(job)}"


def _waiting(job: ReconstructionJob) -> str:
    match job.status.phase:
        case Phase.PENDING:
            return "Pending: no operator looks after it. Do the operator's Pods run, and watch this namespace?"
        case Phase.QUEUED if not job.status.attempts:
            return "Queued: no worker of this pool is connected. Do its Pods run, and reach Redis?"
        case phase:
            return f"{phase.value}. {job.status.message or ''}".strip()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m recon_operator.smoke_test", description=__doc__)
    parser.add_argument("--namespace", default="default", help="where the jobs are made (default: %(default)s)")
    parser.add_argument("--gpu-class", action="append", help="the pools to try, by gpuClass (default: any)")
    parser.add_argument("--timeout", type=float, default=240.0, help="seconds for all of it (default: %(default)s)")
    options = parser.parse_args(arguments)
    namespace = Namespace(client.CustomObjectsApi(_connect()), options.namespace)
    end = time.monotonic() + options.timeout
    try:
        problems = [
            smoke_test(namespace, name, max(end - time.monotonic(), AT_LEAST_S))
            for name in options.gpu_class or ["any"]
        ]
    except ApiException as error:
        problems = [f"the API server refused: {error.status} {error.reason}: {error.body}"]
    except HTTPError as error:
        problems = [f"the API server does not answer: {error}"]
    for problem in filter(None, problems):
        print(problem, file=sys.stderr, flush=True)
    return 1 if any(problems) else 0


def _connect() -> client.ApiClient:
    configuration = client.Configuration()
    if os.environ.get("KUBERNETES_SERVICE_HOST") and not os.environ.get("KUBECONFIG"):
        config.load_incluster_config(configuration)
    else:
        config.load_kube_config(client_configuration=configuration, persist_config=False)
    api = client.ApiClient(configuration)
    api.user_agent = user_agent("smoke-test")
    return api


if __name__ == "__main__":
    sys.exit(main())
