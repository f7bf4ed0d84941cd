"""What the chart installs, for the values that somebody may set."""

from typing import Any

import pytest
import yaml

from recon_api.crd import crd
from recon_operator.permissions import PERMISSIONS
from tests.support.chart import (
    BUCKET,
    EVERYTHING_ON,
    EXISTING_CLAIMS,
    EXTERNAL_REDIS,
    GPU_POOLS,
    NAME,
    NAMESPACE,
    NAMESPACED,
    Values,
    environment,
    render,
)

OPERATOR = f"Deployment/{NAME}"
REDIS = f"StatefulSet/{NAME}-redis"
RULES = [permission.to_rule() for permission in PERMISSIONS]


def worker(pool: str = "default") -> str:
    return f"Deployment/{NAME}-worker-{pool}"


def volumes(pod: dict[str, Any]) -> dict[str, Any]:
    return {each["name"]: {k: v for k, v in each.items() if k != "name"} for each in pod["volumes"]}


def mounts(pod: dict[str, Any]) -> dict[str, Any]:
    return {each["name"]: each for each in pod["containers"][0]["volumeMounts"]}


# --- the operator -------------------------------------------------------------------------------------------------


def test_two_operators_elect_a_leader_and_are_not_drained_at_once() -> None:
    rendered = render()
    assert rendered.get("Deployment", NAME)["spec"]["replicas"] == 2
    found = environment(rendered.pod(OPERATOR))
    assert (found["LEADER_ELECTION"], found["LEASE_NAMESPACE"], found["LEASE_NAME"]) == ("true", NAMESPACE, NAME)
    assert found["POD_NAME"] == {"fieldRef": {"fieldPath": "metadata.name"}}
    assert rendered.get("PodDisruptionBudget", NAME)["spec"]["maxUnavailable"] == 1
    (spread,) = rendered.pod(OPERATOR)["topologySpreadConstraints"]
    assert (spread["topologyKey"], spread["whenUnsatisfiable"]) == ("kubernetes.io/hostname", "ScheduleAnyway")


def test_a_single_operator_has_no_budget_that_would_stop_a_drain() -> None:
    assert not render(NAMESPACED).of_kind("PodDisruptionBudget")


def test_settings_are_written_as_the_programs_read_them() -> None:
    found = environment(render(NAMESPACED).pod(OPERATOR))
    assert (found["NAMESPACES"], found["RELIST_INTERVAL_S"]) == ("team-a,team-b", "300")
    assert found["DEFAULT_TTL_SECONDS_AFTER_FINISHED"] == "1000000"
    assert environment(render(NAMESPACED).pod(worker()))["ENABLE_SYNTHETIC"] == "false"
    assert environment(render().pod(OPERATOR))["DEFAULT_TTL_SECONDS_AFTER_FINISHED"] == ""


# --- roles --------------------------------------------------------------------------------------------------------


def test_for_all_namespaces_one_cluster_role_has_the_operators_own_rules() -> None:
    rendered = render()
    assert rendered.get("ClusterRole", f"{NAMESPACE}:{NAME}")["rules"] == RULES
    (subject,) = rendered.get("ClusterRoleBinding", f"{NAMESPACE}:{NAME}")["subjects"]
    assert subject == {"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}


def test_for_some_namespaces_each_has_a_role_and_there_is_none_for_the_cluster() -> None:
    rendered = render(NAMESPACED)
    roles = [each for each in rendered.of_kind("Role") if each["metadata"]["name"] == NAME]
    assert {each["metadata"]["namespace"]: each["rules"] for each in roles} == {"team-a": RULES, "team-b": RULES}
    assert not rendered.of_kind("ClusterRoleBinding")


def test_the_lease_is_the_only_one_that_a_leader_may_change() -> None:
    create, change, say = render().get("Role", f"{NAME}-leader")["rules"]
    assert create == {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create"]}
    assert (change["resourceNames"], change["verbs"]) == ([NAME], ["get", "update"])
    assert say == {"apiGroups": ["events.k8s.io"], "resources": ["events"], "verbs": ["create"]}


def test_viewers_of_a_namespace_may_view_its_jobs_and_editors_edit_them() -> None:
    labels = "rbac.authorization.k8s.io/aggregate-to-"
    view, edit = (render().get("ClusterRole", f"{NAMESPACE}:{NAME}:{kind}") for kind in ("view", "edit"))
    assert view["metadata"]["labels"][f"{labels}view"] == "true"
    assert view["rules"][0]["verbs"] == ["get", "list", "watch"]
    assert f"{labels}view" not in edit["metadata"]["labels"]
    assert (edit["rules"][0]["resources"], edit["metadata"]["labels"][f"{labels}edit"]) == (
        ["reconstructionjobs"],
        "true",
    )


# --- worker pools -------------------------------------------------------------------------------------------------


def test_a_pool_is_what_it_says_and_else_what_all_pools_are() -> None:
    rendered = render(GPU_POOLS)
    pool, pod = rendered.get("Deployment", f"{NAME}-worker-big")["spec"], rendered.pod(worker("big"))
    assert pool["replicas"] == 3
    assert (pod["nodeSelector"], pod["runtimeClassName"]) == ({"nvidia.com/gpu.product": "H100"}, "nvidia")
    assert pod["tolerations"] == [{"key": "nvidia.com/gpu", "operator": "Exists"}]
    assert pod["containers"][0]["resources"] == {
        "requests": {"cpu": "2", "memory": "4Gi"},
        "limits": {"memory": "64Gi", "nvidia.com/mig-1g.10gb": 2},
    }
    found = environment(pod)
    assert (found["GPU_CLASS"], found["INPUT_LIMITS__MAX_PHOTOS"], found["DEVICE"]) == ("h100", "1000000", "cuda")
    assert (found["STOP_GRACE_S"], pod["terminationGracePeriodSeconds"]) == ("30", 600)
    assert volumes(pod)["shared-memory"] == {"emptyDir": {"medium": "Memory", "sizeLimit": "8Gi"}}


def test_weights_are_mounted_read_only_and_named_to_the_worker() -> None:
    pod = render(GPU_POOLS).pod(worker("big"))
    assert volumes(pod)["weights"] == {"persistentVolumeClaim": {"claimName": "weights", "readOnly": True}}
    assert mounts(pod)["weights"] == {
        "name": "weights",
        "mountPath": "/app/weights",
        "subPath": "v1",
        "readOnly": True,
    }
    assert environment(pod)["MODEL_WEIGHTS_PATH"] == "/app/weights"
    assert volumes(render(EVERYTHING_ON).pod(worker()))["weights"] == {"image": {"reference": "weights:1"}}


def test_workers_want_a_gpu_unless_told_otherwise() -> None:
    rendered = render(GPU_POOLS)
    wanted = {
        pool: rendered.pod(worker(pool))["containers"][0]["resources"]["limits"].get("nvidia.com/gpu")
        for pool in ("default", "cpu")
    }
    assert wanted == {"default": 1, "cpu": None}


def test_a_new_worker_waits_for_the_gpu_of_an_old_one() -> None:
    strategy = render().get("Deployment", f"{NAME}-worker-default")["spec"]["strategy"]
    assert strategy == {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}


# --- Redis --------------------------------------------------------------------------------------------------------


def test_passwords_are_read_from_the_secret_and_stand_in_no_pod() -> None:
    rendered = render()
    for pod, user in ((OPERATOR, "operator"), (worker(), "worker")):
        found = environment(rendered.pod(pod))
        assert found["REDIS_PASSWORD"] == {"secretKeyRef": {"name": f"{NAME}-redis", "key": f"{user}-password"}}
        assert found["CELERY_BROKER_URL"] == f"redis://{user}:$(REDIS_PASSWORD)@{NAME}-redis:6379/0"
    secret = rendered.get("Secret", f"{NAME}-redis")["data"]
    assert set(secret) == {"password", "operator-password", "worker-password"}
    assert len(set(secret.values())) == 3


def test_an_external_redis_is_reached_by_tls_and_none_is_run() -> None:
    rendered = render(EXTERNAL_REDIS)
    assert not rendered.of_kind("StatefulSet")
    assert f"{NAME}-redis" not in rendered.names("Secret") | rendered.names("NetworkPolicy") | rendered.names("Service")
    for pod, user in ((OPERATOR, "operator"), (worker(), "w")):
        found = environment(rendered.pod(pod))
        assert found["CELERY_RESULT_BACKEND"] == f"rediss://{user}:$(REDIS_PASSWORD)@redis.example.com:6380/0"
        assert found["REDIS_PASSWORD"]["secretKeyRef"]["name"] == "redis-passwords"
        assert found["REDIS_CA_FILE"] == f"{mounts(rendered.pod(pod))['redis-ca']['mountPath']}/ca.crt"
        assert volumes(rendered.pod(pod))["redis-ca"]["secret"] == {
            "secretName": "redis-ca",
            "items": [{"key": "ca.pem", "path": "ca.crt"}],
        }


def test_redis_keeps_its_data_unless_told_otherwise() -> None:
    assert volumes(render().pod(REDIS))["data"] == {"persistentVolumeClaim": {"claimName": f"{NAME}-redis"}}
    assert volumes(render(EXISTING_CLAIMS).pod(REDIS))["data"]["persistentVolumeClaim"] == {"claimName": "redis-data"}
    without = render({"redis": {"builtIn": {"persistence": {"enabled": False}}}})
    assert volumes(without.pod(REDIS))["data"] == {"emptyDir": {}}
    assert "appendonly no" in without.get("ConfigMap", f"{NAME}-redis")["data"]["redis.conf"]


# --- storage and definition ---------------------------------------------------------------------------------------


def test_a_new_claim_outlives_the_release_and_an_existing_one_is_used_as_it_is() -> None:
    claim = render().get("PersistentVolumeClaim", f"{NAME}-storage")
    assert claim["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    rendered = render(EXISTING_CLAIMS)
    assert not rendered.of_kind("PersistentVolumeClaim")
    pod = rendered.pod(worker())
    assert volumes(pod)["storage"] == {"persistentVolumeClaim": {"claimName": "photos"}}
    assert mounts(pod)["storage"] == {"name": "storage", "mountPath": "/app/storage/jobs", "subPath": "recon"}


def test_with_a_bucket_nothing_is_claimed_and_keys_stand_in_no_pod() -> None:
    rendered = render(BUCKET)
    assert f"{NAME}-storage" in render().names("PersistentVolumeClaim") - rendered.names("PersistentVolumeClaim")
    pod = rendered.pod(worker())
    assert volumes(pod)["storage"] == {"emptyDir": {"sizeLimit": "50Gi"}}
    found = environment(pod)
    assert (found["STORAGE_URL"], found["JOB_STORAGE_PATH"]) == (
        "s3://store/recon/",
        mounts(pod)["storage"]["mountPath"],
    )
    assert {
        name: value["secretKeyRef"]
        for name, value in found.items()
        if name.startswith("STORAGE_") and "secretKeyRef" in value
    } == {
        "STORAGE_ACCESS_KEY_ID": {"name": "store", "key": "AWS_ACCESS_KEY_ID"},
        "STORAGE_SECRET_ACCESS_KEY": {"name": "store", "key": "AWS_SECRET_ACCESS_KEY"},
        "STORAGE_SESSION_TOKEN": {"name": "store", "key": "AWS_SESSION_TOKEN", "optional": True},
        "STORAGE_ENDPOINT_URL": {"name": "store", "key": "endpointURL", "optional": True},
    }
    assert found["STORAGE_CA_FILE"] == f"{mounts(pod)['storage-ca']['mountPath']}/ca.crt"
    assert volumes(pod)["storage-ca"]["secret"]["secretName"] == "store-ca"
    for other in (rendered.pod(OPERATOR), render().pod(worker())):
        assert not any(name.startswith("STORAGE_") for name in environment(other))


@pytest.mark.parametrize(
    ("values", "annotations"),
    [
        pytest.param({}, {"helm.sh/resource-policy": "keep"}, id="and is kept"),
        pytest.param({"crds": {"keep": False}}, None, id="or goes with the release"),
    ],
)
def test_the_definition_is_the_code_s_own(values: Values, annotations: dict[str, str] | None) -> None:
    (definition,) = render(values).of_kind("CustomResourceDefinition")
    assert definition["spec"] == yaml.safe_load(yaml.safe_dump(crd()["spec"]))
    assert definition["metadata"].get("annotations") == annotations


def test_the_definition_can_be_left_to_somebody_else() -> None:
    assert not render({"crds": {"install": False}}).of_kind("CustomResourceDefinition")


def test_secrets_are_read_only_where_jobs_may_name_them() -> None:
    secrets = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}
    for values, expected in (({}, False), (EVERYTHING_ON, True)):
        rendered = render(values)
        assert (secrets in rendered.get("ClusterRole", f"{NAMESPACE}:{NAME}")["rules"]) is expected
        assert (f"{NAME}-credentials" in rendered.names("Secret")) is expected
        for pod in (OPERATOR, worker()):
            assert ("CREDENTIALS_KEY" in environment(rendered.pod(pod))) is expected


def test_urls_are_bounded_as_the_values_say() -> None:
    found = environment(render(EVERYTHING_ON).pod(worker()))
    assert found["URL_MAX_BYTES"] == "1000000000000"
    assert found["URL_ALLOWED_PRIVATE_HOSTS"] == "minio.storage,10.0.0.7"


def test_only_where_workers_are_scaled_may_the_operator_mark_their_pods() -> None:
    pods = {"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "patch"]}
    for values, expected in (({}, False), (EVERYTHING_ON, True)):
        rendered = render(values)
        assert (pods in rendered.get("Role", f"{NAME}-leader")["rules"]) is expected
        found = environment(rendered.pod(OPERATOR))
        assert (found.get("WORKER_NAMESPACE") == NAMESPACE) is expected
    scaled = render(EVERYTHING_ON)
    selector = environment(scaled.pod(OPERATOR))["WORKER_SELECTOR"]
    template = scaled.get("Deployment", f"{NAME}-worker-default")["spec"]["template"]
    assert dict(part.split("=") for part in selector.split(",")).items() <= template["metadata"]["labels"].items()


def test_jobs_are_let_go_before_the_release_goes_and_discarded_where_they_go_too() -> None:
    hook = f"Job/{NAME}-uninstall"
    assert render().get("Job", f"{NAME}-uninstall")["metadata"]["annotations"]["helm.sh/hook"] == "pre-delete"
    assert render().pod(hook)["containers"][0]["args"] == ["release-jobs"]
    without = {"crds": {"keep": False}}
    assert render(without).pod(hook)["containers"][0]["args"] == ["release-jobs", "--discard"]
    assert not render({"releaseJobsOnUninstall": False}).of_kind("Job")


# --- what surrounds it --------------------------------------------------------------------------------------------


def test_only_operator_workers_and_the_hook_reach_redis() -> None:
    (rule,) = render().get("NetworkPolicy", f"{NAME}-redis")["spec"]["ingress"]
    peers = [each["podSelector"]["matchLabels"]["app.kubernetes.io/component"] for each in rule["from"]]
    assert peers == ["operator", "worker", "uninstall"]


def test_workers_reach_no_private_or_link_local_address_but_redis() -> None:
    rules = render().get("NetworkPolicy", f"{NAME}-worker")["spec"]["egress"]
    blocks = [peer["ipBlock"] for rule in rules for peer in rule.get("to", ()) if "ipBlock" in peer]
    assert {each["cidr"] for each in blocks} == {"0.0.0.0/0", "::/0"}
    assert {"10.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8"} <= set(
        blocks[0]["except"]
    )
    anywhere = [port["port"] for rule in rules if "to" not in rule for port in rule["ports"]]
    assert anywhere == [53, 53]


def test_what_needs_other_peoples_definitions_is_off_at_first() -> None:
    theirs = {"ServiceMonitor", "PodMonitor", "PrometheusRule", "ScaledObject"}
    assert not {each["kind"] for each in render().objects} & theirs
    assert {each["kind"] for each in render(EVERYTHING_ON).objects} >= theirs


def test_keda_decides_how_many_workers_there_are() -> None:
    rendered = render(EVERYTHING_ON)
    assert "replicas" not in rendered.get("Deployment", f"{NAME}-worker-default")["spec"]
    scaled = rendered.get("ScaledObject", f"{NAME}-worker-default")["spec"]
    assert scaled["scaleTargetRef"] == {"name": f"{NAME}-worker-default"}
    assert (scaled["minReplicaCount"], scaled["maxReplicaCount"]) == (0, 8)
    (trigger,) = scaled["triggers"]
    assert trigger["metadata"]["threshold"] == "1"
    assert 'gpu_class="any", phase=~"Pending|Queued|Running|Cancelling"' in trigger["metadata"]["query"]


def test_dashboards_and_alerts_are_the_charts_files() -> None:
    rendered = render(EVERYTHING_ON)
    for each in rendered.of_kind("ConfigMap"):
        if "dashboard" in each["metadata"]["name"]:
            assert each["metadata"]["labels"]["grafana_dashboard"] == "1"


def test_everything_carries_the_common_labels() -> None:
    (more,) = EVERYTHING_ON["extraObjects"]
    without = [each for each in render(EVERYTHING_ON).objects if each["metadata"].get("labels", {}).get("team") is None]
    assert without == [more]


def test_every_pool_is_tried_once() -> None:
    pod = render(GPU_POOLS).pod(f"Pod/{NAME}-test")
    assert [each for each in pod["containers"][0]["args"] if "gpu-class" in each] == [
        "--gpu-class=any",
        "--gpu-class=h100",
        "--gpu-class=cpu",
    ]
    assert f"--namespace={NAMESPACE}" in pod["containers"][0]["args"]
    assert "--namespace=team-a" in render(NAMESPACED).pod(f"Pod/{NAME}-test")["containers"][0]["args"]


def test_metrics_keep_the_namespace_of_the_jobs_that_they_tell_of() -> None:
    (endpoint,) = render(EVERYTHING_ON).get("ServiceMonitor", NAME)["spec"]["endpoints"]
    assert endpoint["honorLabels"] is True
