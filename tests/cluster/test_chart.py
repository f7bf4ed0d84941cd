"""The chart on a real API server: it takes every manifest, and Helm keeps what must be kept. No Pod runs here."""

import base64
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from recon_dev.checks.chart import CHART
from recon_dev.kubectl import Kubectl
from tests.support.chart import NAME, RELEASE, VALUE_SETS, Manifest, Rendered, Values, helm, render
from tests.support.control_plane import ControlPlane

CRD = "reconstructionjobs.reconstruction.dev"
THEIRS = {"ServiceMonitor", "PodMonitor", "PrometheusRule", "ScaledObject"}
"""Kinds whose definitions come with Prometheus' operator and KEDA."""

LEFT_TO_OTHERS: Values = {"crds": {"install": False}}


@pytest.fixture
def restricted(control_plane: ControlPlane) -> str:
    """A namespace that takes only Pods by the standard `restricted`."""
    name = control_plane.make_namespace()
    kinds = [f"pod-security.kubernetes.io/{mode}=restricted" for mode in ("enforce", "warn")]
    control_plane.run_kubectl("label", "namespace", name, *kinds)
    return name


def applied(control_plane: ControlPlane, namespace: str, objects: list[Manifest], *options: str) -> tuple[int, str]:
    """Apply objects; return the exit status and all that was complained of."""
    done = subprocess.run(
        [
            control_plane.kubectl,
            f"--kubeconfig={control_plane.kubeconfig}",
            "apply",
            "-f-",
            "-n",
            namespace,
            "--server-side",
            "--force-conflicts",
            *options,
        ],
        input=yaml.safe_dump_all(objects),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


def moved(rendered: Rendered, namespace: str) -> list[Manifest]:
    """Return the objects in this namespace, as far as they are of kinds that the API server knows."""
    objects = [each for each in rendered.objects if each["kind"] not in THEIRS]
    for each in objects:
        if "namespace" in each["metadata"]:
            each["metadata"]["namespace"] = namespace
    return objects


def pods_of(rendered: Rendered) -> list[Manifest]:
    return [
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name.replace("/", "-").lower()}, "spec": spec}
        | {"spec": {"restartPolicy": "Always", **spec}}
        for name, spec in rendered.pods()
    ]


@pytest.mark.parametrize("values", VALUE_SETS)
def test_a_restricted_namespace_takes_every_object_and_every_pod(
    control_plane: ControlPlane, restricted: str, values: str
) -> None:
    """Of Deployments and the like the API server only warns; the Pods themselves it would refuse."""
    objects = moved(render(VALUE_SETS[values]), restricted)
    accounts = [each for each in objects if each["kind"] == "ServiceAccount"]
    runtime = {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": "nvidia"}}
    assert applied(control_plane, restricted, [*accounts, runtime | {"handler": "nvidia"}]) == (0, "")
    assert applied(control_plane, restricted, objects, "--dry-run=server") == (0, "")
    pods = pods_of(Rendered(tuple(objects)))
    assert len(pods) >= 3
    assert applied(control_plane, restricted, pods, "--dry-run=server") == (0, "")


# --- Helm -----------------------------------------------------------------------------------------------------------


class Release:
    """A release in a namespace of a cluster."""

    def __init__(self, control_plane: ControlPlane, chart: Path = CHART) -> None:
        self.control_plane, self.chart = control_plane, chart
        self.namespace = control_plane.make_namespace()
        # By it the chart knows that it is rendered for a cluster; the control plane makes it a moment after the namespace.
        wait = ("wait", "--for=create", "serviceaccount/default", f"--namespace={self.namespace}", "--timeout=60s")
        control_plane.run_kubectl(*wait)

    def helm(self, verb: str, *options: str, values: Values | None = None) -> subprocess.CompletedProcess[str]:
        """Run helm on this release; the hooks are left out, for nothing runs Pods here."""
        chart = [str(self.chart)] if verb in {"install", "upgrade"} else []
        where = [f"--namespace={self.namespace}", f"--kubeconfig={self.control_plane.kubeconfig}", "--no-hooks"]
        return helm(verb, RELEASE, *chart, *where, *options, values=values)

    def do(self, verb: str, values: Values | None = None) -> str:
        """Run helm on this release; return what it printed."""
        done = self.helm(verb, values=values)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def refusal(self, values: Values) -> str:
        """Return why an installation with these values is refused."""
        done = self.helm("install", values=values)
        assert done.returncode != 0, "the values were taken"
        return done.stderr

    def objects(self, kinds: str) -> set[str]:
        """Return the names of objects in the namespace."""
        return set(self.control_plane.run_kubectl("get", kinds, "-n", self.namespace, "--output=name").split())

    def make_secret(self, name: str, **values: str) -> None:
        """Make a Secret."""
        given = (f"--from-literal={key}={value}" for key, value in values.items())
        self.control_plane.run_kubectl("create", "secret", "generic", name, "-n", self.namespace, *given)

    def secret(self, name: str) -> dict[str, str]:
        """Return a Secret's data."""
        found: dict[str, str] = yaml.safe_load(
            self.control_plane.run_kubectl("get", "secret", name, "-n", self.namespace, "--output=yaml")
        )["data"]
        return found


@pytest.fixture
def release(control_plane: ControlPlane) -> Iterator[Release]:
    """A release whose cluster-wide objects go with the test."""
    found = Release(control_plane)
    yield found
    found.helm("uninstall")


def test_passwords_and_results_outlive_upgrades(release: Release) -> None:
    values = {**LEFT_TO_OTHERS, "remote": {"secrets": True}}
    release.do("install", values)
    before = release.secret(f"{NAME}-redis"), release.secret(f"{NAME}-credentials")
    release.do("upgrade", {**values, "operator": {"replicas": 3}})
    assert (release.secret(f"{NAME}-redis"), release.secret(f"{NAME}-credentials")) == before
    assert len({base64.b64decode(password) for password in before[0].values()}) == 3
    release.do("uninstall")
    assert release.objects("deployment,statefulset,service,secret,role,networkpolicy,pdb") == set()
    claims = "persistentvolumeclaims", "-n", release.namespace
    found = {
        each["metadata"]["name"]: each["metadata"] for each in release.control_plane.run_kubectl.get(*claims)["items"]
    }
    # The claim of Redis is being deleted, and goes once nothing uses it.
    assert {name for name, metadata in found.items() if "deletionTimestamp" not in metadata} == {f"{NAME}-storage"}


def test_the_notes_say_what_to_do_next(release: Release) -> None:
    notes = release.do("install", LEFT_TO_OTHERS)
    assert f"helm test {RELEASE} --namespace {release.namespace} --logs" in notes
    assert "It looks after jobs in all namespaces." in notes
    assert "Does a worker stay Pending? It needs a GPU that no node offers" in notes
    without = release.do("upgrade", {**LEFT_TO_OTHERS, "worker": {"poolDefaults": {"gpus": 0}}})
    assert "GPU that no node offers" not in without
    assert f"mkdir -p /app/storage/jobs/inputs/{release.namespace}" in without
    release.make_secret("store", AWS_ACCESS_KEY_ID="key", AWS_SECRET_ACCESS_KEY="secret")
    in_bucket = {"storage": {"url": "s3://store/recon/", "secretName": "store"}}
    bucket = release.do("upgrade", {**LEFT_TO_OTHERS, **in_bucket})
    assert f"aws s3 cp --recursive my-photos s3://store/recon/inputs/{release.namespace}/chair/" in bucket
    assert "/app/storage/jobs" not in bucket


EXTERNAL = {"builtIn": {"enabled": False}, "external": {"host": "redis"}}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        pytest.param(
            {"storage": {"existingClaim": "photos"}},
            "storage.existingClaim: there is no PersistentVolumeClaim named photos in the namespace {namespace}.",
            id="a missing storage claim",
        ),
        pytest.param(
            {"storage": {"url": "s3://store", "secretName": "keys"}},
            "storage.secretName: there is no Secret named keys in the namespace {namespace}.",
            id="missing keys of the bucket",
        ),
        pytest.param(
            {"storage": {"url": "s3://store", "secretName": "other"}},
            "storage.secretName: the Secret other has no key AWS_ACCESS_KEY_ID; add it.",
            id="a Secret without the bucket's keys",
        ),
        pytest.param(
            {"storage": {"url": "s3://store", "secretName": "minio"}},
            "storage.secretName: endpointURL of the Secret minio must be a server's URL",
            id="a server without https:// before it",
        ),
        pytest.param(
            {"redis": {"builtIn": {"persistence": {"existingClaim": "data"}}}},
            "redis.builtIn.persistence.existingClaim: there is no PersistentVolumeClaim named data",
            id="a missing claim of Redis",
        ),
        pytest.param(
            {"worker": {"pools": [{"name": "a", "weights": {"existingClaim": "weights"}}]}},
            "worker.pools[0].weights.existingClaim: there is no PersistentVolumeClaim named weights",
            id="a missing claim of weights",
        ),
        pytest.param(
            {"redis": {"auth": {"existingSecret": "passwords"}}},
            "redis.auth.existingSecret: there is no Secret named passwords",
            id="missing passwords",
        ),
        pytest.param(
            {"redis": {"auth": {"existingSecret": "other"}}},
            "the key password of the Secret other must be a password of letters, digits, - and _ only.",
            id="a Secret with other keys",
        ),
        pytest.param(
            {"redis": {"auth": {"existingSecret": "strange"}, **EXTERNAL}},
            "the key worker-password of the Secret strange must be a password of letters, digits, - and _ only.",
            id="a password that would break the address",
        ),
        pytest.param(
            {"redis": {"auth": {"existingSecret": "good"}, **EXTERNAL}, "storage": {"existingClaim": "photos"}},
            "storage.existingClaim: there is no",
            id="a good password passes, and the next check speaks",
        ),
    ],
)
def test_what_is_missing_in_the_cluster_is_said_before_anything_is_installed(
    release: Release, values: dict[str, Any], said: str
) -> None:
    for name, password in (("strange", "a@b/c"), ("good", "a-b_c")):
        release.make_secret(name, **{"operator-password": "ok", "worker-password": password})
    release.make_secret("other", something="else")
    release.make_secret("minio", AWS_ACCESS_KEY_ID="key", AWS_SECRET_ACCESS_KEY="secret", endpointURL="minio:9000")
    assert said.format(namespace=release.namespace) in release.refusal({**LEFT_TO_OTHERS, **values})
    assert not release.objects("deployment")


# --- the definition -------------------------------------------------------------------------------------------------


def old_chart(folder: Path, *without: str) -> Path:
    """Return the chart as it was before these fields of the spec existed."""
    chart = shutil.copytree(CHART, folder / "chart")
    file = chart / "files" / "reconstructionjobs.yaml"
    definition = yaml.safe_load(file.read_text())
    for name in without:
        del definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"][name]
    file.write_text(yaml.safe_dump(definition))
    return chart


def fields(kubectl: Kubectl) -> set[str]:
    spec = ".spec.versions[0].schema.openAPIV3Schema.properties.spec.properties"
    return set(yaml.safe_load(kubectl("get", "crd", CRD, f"--output=jsonpath={{{spec}}}")))


@pytest.mark.xdist_group("own_control_plane")
def test_the_definition_is_installed_checked_upgraded_and_kept(own_control_plane: ControlPlane, tmp_path: Path) -> None:
    kubectl = own_control_plane.run_kubectl
    release = Release(own_control_plane)
    kubectl("delete", "crd", CRD)
    assert f"crds.install=false: the definition {CRD} is not in the cluster." in release.refusal(LEFT_TO_OTHERS)

    older = Release(own_control_plane, old_chart(tmp_path, "priority", "ttlSecondsAfterFinished"))
    older.do("install")
    assert not {"priority", "ttlSecondsAfterFinished"} & fields(kubectl)
    assert (
        f"the definition {CRD} in the cluster is older than this chart: it lacks spec.priority, spec.ttlSecondsAfterFinished. "
        in (release.refusal(LEFT_TO_OTHERS))
    )
    assert "exists and cannot be imported into the current release" in release.refusal({})

    older.chart = CHART
    older.do("upgrade")
    assert {"priority", "ttlSecondsAfterFinished"} <= fields(kubectl)
    release.do("install", LEFT_TO_OTHERS)

    assert CRD in older.do("uninstall")
    assert {"priority", "ttlSecondsAfterFinished"} <= fields(kubectl)
    older.do("install", {"crds": {"keep": False}})
    release.do("uninstall")
    older.do("uninstall")
    kubectl("wait", "--for=delete", f"crd/{CRD}", "--timeout=50s")  # the API server first deletes all of its objects
    assert CRD not in kubectl("get", "crd", "--output=name")
