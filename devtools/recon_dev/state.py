"""The folder of one local cluster (`.dev`): where everything is, and the settings that stay the same when it is started again."""

import base64
import json
import os
import secrets
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from recon_dev.ports import ReservedPort

CHECKOUT = Path(__file__).resolve().parents[2]
"""Root of the checkout; `recon_dev` is installed from it and never without it."""
DEFAULT_STATE_DIR = CHECKOUT / ".dev"


class Settings(BaseModel):
    """Ports and secrets of one local cluster, drawn once and kept, so that an exported kubeconfig stays valid."""

    model_config = ConfigDict(frozen=True)

    etcd_port: int
    etcd_peer_port: int
    etcd_metrics_port: int
    api_server_port: int
    controller_manager_port: int
    """Health."""
    redis_port: int
    operator_port: int
    """Health and metrics."""
    redis_password: str = Field(default_factory=lambda: secrets.token_urlsafe(24))
    """Of the administrator."""
    redis_operator_password: str = Field(default_factory=lambda: secrets.token_urlsafe(24))
    credentials_key: str = Field(default_factory=lambda: base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())
    redis_worker_password: str = Field(default_factory=lambda: secrets.token_urlsafe(24))


class StateDir:
    """Paths in the folder of one local cluster."""

    def __init__(self, root: Path) -> None:
        """Name the folder; nothing is made before `make`."""
        self.root = root.resolve()
        self.pki = self.root / "pki"
        self.run = self.root / "run"
        self.logs = self.root / "logs"
        self.etcd = self.root / "etcd"
        self.redis = self.root / "redis"
        self.storage = self.root / "storage"
        self.kubeconfig = self.root / "kubeconfig"
        self.controller_manager_kubeconfig = self.pki / "controller-manager.kubeconfig"
        self.operator_kubeconfig = self.pki / "operator.kubeconfig"
        self.audit_policy = self.root / "audit-policy.yaml"
        self.audit_log = self.root / "audit.jsonl"
        self.settings = self.root / "settings.json"
        self.lock = self.run / "lock"
        self.status = self.run / "status.json"
        self._ports: dict[str, ReservedPort] = {}

    def make(self) -> None:
        """Make the folders that are missing; only their owner may look into those with secrets."""
        self.root.mkdir(parents=True, exist_ok=True)
        for folder in (self.run, self.logs, self.storage / "inputs" / "default"):
            folder.mkdir(parents=True, exist_ok=True)
        for folder in (self.pki, self.etcd, self.redis):
            folder.mkdir(mode=0o700, exist_ok=True)

    def log(self, component: str) -> Path:
        """Return the log file of a component."""
        return self.logs / f"{component}.log"

    def read_settings(self) -> Settings:
        """Return the kept settings; raise FileNotFoundError where there are none."""
        return Settings.model_validate_json(self.settings.read_text())

    def settle(self) -> Settings:
        """Return the settings to start with: the kept ones, with new ports in place of those that others use by now.

        The ports stay reserved until `release_ports`, or until this process ends: a server that starts later, or again, gets its own.
        """
        kept: dict[str, Any] = json.loads(self.settings.read_text()) if self.settings.exists() else {}
        names = [name for name in Settings.model_fields if name.endswith("_port")]
        self.release_ports()
        self._ports = {name: ReservedPort.prefer(kept.get(name, 0)) for name in names}
        numbers = {name: port.number for name, port in self._ports.items()}
        settings = Settings.model_validate({**kept, **numbers})
        write_private(self.settings, settings.model_dump_json(indent=1))
        return settings

    def release_ports(self) -> None:
        """Let other programs have the ports of the settings."""
        for port in self._ports.values():
            port.release()
        self._ports.clear()


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)
