"""etcd and the API server of the local cluster, with TLS and RBAC as in a real one; no node."""

import base64
import os
import time
from pathlib import Path

import yaml

from recon_api.resource import GROUP, PLURAL, VERSION
from recon_dev.binaries import Binaries
from recon_dev.certificates import KeyPair, Pki, ensure_pki
from recon_dev.errors import DevError
from recon_dev.kubectl import Kubectl
from recon_dev.ports import LOOPBACK
from recon_dev.probes import url_answers
from recon_dev.processes import POLL_S, Component
from recon_dev.state import CHECKOUT, Settings, StateDir, write_private

CRD_FILE = CHECKOUT / "crds" / "reconstructionjobs.yaml"
JOBS_PATH = f"/apis/{GROUP}/{VERSION}/{PLURAL}?limit=1"
SERVED_WITHIN_S = 30.0
OPERATOR_ACCOUNT = ("reconstruction-system", "reconstruction-operator")
"""Namespace and name of the operator's service account."""
OPERATOR_USER = f"system:serviceaccount:{':'.join(OPERATOR_ACCOUNT)}"


def control_plane(
    state: StateDir, settings: Settings, binaries: Binaries, *, durable: bool = True, audit: bool = False
) -> list[Component]:
    """Return etcd and the API server; the latter is ready once the CRD is served.

    `durable` False leaves out waiting for the disk: quicker, and lost with the machine. `audit` has each request of the
    operator's account noted.
    """
    pki = ensure_pki(state.pki)
    write_kubeconfig(state.kubeconfig, settings, pki, pki.admin)
    return [
        _etcd(state, settings, binaries, pki, durable=durable),
        _api_server(state, settings, binaries, pki, audit=audit),
    ]


def api_server_url(settings: Settings) -> str:
    """Return the URL of the local API server."""
    return f"https://{LOOPBACK}:{settings.api_server_port}"


def _etcd(state: StateDir, settings: Settings, binaries: Binaries, pki: Pki, *, durable: bool) -> Component:
    client, peer = (f"https://{LOOPBACK}:{port}" for port in (settings.etcd_port, settings.etcd_peer_port))
    metrics = f"http://{LOOPBACK}:{settings.etcd_metrics_port}"
    command = [
        str(binaries.etcd),
        "--name=recon-dev",
        f"--data-dir={state.etcd}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=recon-dev={peer}",
        f"--listen-metrics-urls={metrics}",
        "--client-cert-auth",
        "--peer-client-cert-auth",
        f"--trusted-ca-file={pki.authority.certificate}",
        f"--peer-trusted-ca-file={pki.authority.certificate}",
        f"--cert-file={pki.server.certificate}",
        f"--peer-cert-file={pki.server.certificate}",
        f"--key-file={pki.server.key}",
        f"--peer-key-file={pki.server.key}",
        "--log-level=warn",
        *([] if durable else ["--unsafe-no-fsync"]),
    ]
    return Component(name="etcd", command=command, env=server_env(), ready=lambda: url_answers(f"{metrics}/health"))


def _api_server(state: StateDir, settings: Settings, binaries: Binaries, pki: Pki, *, audit: bool) -> Component:
    command = [
        str(binaries.kube_apiserver),
        f"--bind-address={LOOPBACK}",
        f"--secure-port={settings.api_server_port}",
        "--endpoint-reconciler-type=none",  # nobody reaches it as a Service
        f"--etcd-servers=https://{LOOPBACK}:{settings.etcd_port}",
        f"--etcd-cafile={pki.authority.certificate}",
        f"--etcd-certfile={pki.etcd_client.certificate}",
        f"--etcd-keyfile={pki.etcd_client.key}",
        f"--tls-cert-file={pki.server.certificate}",
        f"--tls-private-key-file={pki.server.key}",
        f"--client-ca-file={pki.authority.certificate}",
        "--authorization-mode=RBAC",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={pki.service_accounts.certificate}",
        f"--service-account-signing-key-file={pki.service_accounts.key}",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--shutdown-delay-duration=0s",
        *(_audit_arguments(state) if audit else []),
    ]
    authority = pki.authority.certificate
    return Component(
        name="kube-apiserver",
        command=command,
        env=server_env(),
        ready=lambda: url_answers(f"{api_server_url(settings)}/readyz", authority),
        when_ready=lambda: apply_crd(Kubectl(state.kubeconfig)),
    )


def _audit_arguments(state: StateDir) -> list[str]:
    """Have the API server note who asked what and how it ended, for the operator's account alone."""
    policy = {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [{"level": "Metadata", "users": [OPERATOR_USER]}, {"level": "None"}],
    }
    write_private(state.audit_policy, yaml.safe_dump(policy))
    return [f"--audit-policy-file={state.audit_policy}", f"--audit-log-path={state.audit_log}"]


def server_env() -> dict[str, str]:
    """Return the environment of servers that need nothing of ours."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}


def apply_crd(kubectl: Kubectl) -> None:
    """Install the resource's definition and wait until it is served. Raises DevError."""
    kubectl("apply", "--server-side", "--force-conflicts", "-f", str(CRD_FILE))
    deadline = time.monotonic() + SERVED_WITHIN_S
    while (answer := kubectl.run("get", "--raw", JOBS_PATH)).returncode != 0:
        if time.monotonic() > deadline:
            raise DevError(f"the API server does not serve the resource: {answer.stderr.strip()}")
        time.sleep(POLL_S)


def write_kubeconfig(path: Path, settings: Settings, pki: Pki, user: KeyPair) -> None:
    """Write the kubeconfig of whom a client certificate names: one cluster, one user."""
    name = "recon-dev"
    cluster = {"server": api_server_url(settings), "certificate-authority-data": _base64(pki.authority.certificate)}
    keys = {"client-certificate-data": _base64(user.certificate), "client-key-data": _base64(user.key)}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": name, "user": keys}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": "default"}}],
        "current-context": name,
    }
    write_private(path, yaml.safe_dump(document, sort_keys=False))


def _base64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
