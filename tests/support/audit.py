"""What the API server noted of the operator's requests."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

READING = frozenset({"get", "list", "watch"})
CREDENTIAL = "authentication.kubernetes.io/credential-id"


@dataclass(frozen=True)
class Request:
    """One request, as it ended."""

    verb: str
    group: str
    resource: str
    """With its subresource: `reconstructionjobs/status`."""
    namespace: str
    name: str
    code: int
    """The status of the answer."""
    credential: str
    """Id of the token that it came with."""
    user_agent: str
    """What the program that asked calls itself."""
    at: datetime
    """When it arrived, by the API server's clock."""

    @property
    def writes(self) -> bool:
        """Whether it is meant to change something."""
        return self.verb not in READING


def requests(log: Path) -> Iterator[Request]:
    """Yield the requests of an audit log, the latest last."""
    for line in log.read_text().splitlines(keepends=True):
        if line.endswith("\n"):
            event = json.loads(line)
            if "objectRef" in event:
                yield _request(event)


def _request(event: dict[str, Any]) -> Request:
    about = event["objectRef"]
    subresource = f"/{about['subresource']}" if "subresource" in about else ""
    return Request(
        verb=event["verb"],
        group=about.get("apiGroup", ""),
        resource=about["resource"] + subresource,
        namespace=about.get("namespace", ""),
        name=about.get("name", ""),
        code=event["responseStatus"]["code"],
        credential=event["user"].get("extra", {}).get(CREDENTIAL, [""])[0],
        user_agent=event.get("userAgent", ""),
        at=datetime.fromisoformat(event["requestReceivedTimestamp"]),
    )


def credential_of(kubeconfig: Path) -> str:
    """Return the id of the token in a kubeconfig, as the audit log names it."""
    payload = yaml.safe_load(kubeconfig.read_text())["users"][0]["user"]["token"].split(".")[1]
    return f"JTI={json.loads(base64.urlsafe_b64decode(payload + '==='))['jti']}"
