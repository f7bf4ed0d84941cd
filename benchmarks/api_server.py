"""The API server of the local cluster, reached with as little of a client as possible, so that it is the server that is measured."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import urllib3

from recon_dev.certificates import Pki, ensure_pki
from recon_dev.control_plane import api_server_url
from recon_dev.state import StateDir

JOBS = "/apis/reconstruction.dev/v1/namespaces/{namespace}/reconstructionjobs"
SAMPLE = re.compile(r"^apiserver_request_total\{(?P<labels>.*)\} (?P<value>\S+)$", re.MULTILINE)
LABEL = re.compile(r'(\w+)="([^"]*)"')
WRITES = ("POST", "PUT", "PATCH", "APPLY", "DELETE")

Request = tuple[str, str]
"""(verb, resource/subresource)"""


class ApiServer:
    """The API server, as its administrator."""

    def __init__(self, state: StateDir, connections: int) -> None:
        """Keep up to `connections` connections open."""
        pki: Pki = ensure_pki(state.pki)
        self._pool = urllib3.PoolManager(
            maxsize=connections,
            ca_certs=str(pki.authority.certificate),
            cert_file=str(pki.admin.certificate),
            key_file=str(pki.admin.key),
            retries=False,
        )
        self._url = api_server_url(state.read_settings())

    def send(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Send a request; return the answer. Raises RuntimeError with the server's message where it refuses."""
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        answer = self._pool.request(
            method,
            self._url + path,
            body=json.dumps(body) if body is not None else None,
            headers={"Content-Type": kind},
        )
        document: dict[str, Any] = json.loads(answer.data)
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {document.get('message', '')}")
        return document

    def watch(self, path: str, resource_version: str, timeout_s: int) -> Iterator[dict[str, Any]]:
        """Yield the events of a watch as they arrive."""
        query = f"?watch=1&resourceVersion={resource_version}&timeoutSeconds={timeout_s}"
        answer = self._pool.request("GET", self._url + path + query, preload_content=False)
        pending = b""
        for chunk in answer.stream(65536):
            *lines, pending = (pending + chunk).split(b"\n")
            yield from map(json.loads, filter(None, lines))

    def writes(self) -> Counter[Request]:
        """Return how many writes the server has answered since it started, by verb and resource."""
        return count_writes(self._pool.request("GET", self._url + "/metrics").data.decode())


def count_writes(metrics: str) -> Counter[Request]:
    """Return the answered writes in the API server's metrics, refused ones too, by verb and resource."""
    counts: Counter[Request] = Counter()
    for sample in SAMPLE.finditer(metrics):
        labels = dict(LABEL.findall(sample["labels"]))
        if labels["verb"] in WRITES:
            resource = "/".join(filter(None, (labels["resource"], labels["subresource"])))
            counts[labels["verb"], resource] += int(float(sample["value"]))
    return counts
