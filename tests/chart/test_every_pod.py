"""What holds for every Pod of the chart, whatever the values."""

from typing import Any

import pytest
from pydantic_settings import BaseSettings

from recon_operator.settings import OperatorSettings
from recon_worker.settings import WorkerSettings
from tests.support.chart import NAME, VALUE_SETS, Rendered, environment, render

RESTRICTED_VOLUMES = frozenset(
    (
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "image",
        "persistentVolumeClaim",
        "projected",
        "secret",
    )
)
"""The kinds of volumes that the pod security standard `restricted` allows."""

NO_SETTINGS = {"REDIS_PASSWORD", "OTEL_EXPORTER_OTLP_ENDPOINT"}
"""Variables that are a part of others, or that OpenTelemetry reads by itself."""

TALK_TO_THE_API_SERVER = {f"Deployment/{NAME}", f"Job/{NAME}-uninstall", f"Pod/{NAME}-test"}


@pytest.fixture(params=VALUE_SETS)
def rendered(request: pytest.FixtureRequest) -> Rendered:
    return render(VALUE_SETS[request.param])


def workers(rendered: Rendered) -> list[dict[str, Any]]:
    return [pod for name, pod in rendered.pods() if name.startswith(f"Deployment/{NAME}-worker-")]


def unknown(pod: dict[str, Any], settings: type[BaseSettings]) -> set[str]:
    """Return the variables of a Pod that its program does not read."""
    names = {name.split("__")[0].lower() for name in set(environment(pod)) - NO_SETTINGS}
    return names - set(settings.model_fields)


def test_it_has_no_rights_on_its_node(rendered: Rendered) -> None:
    for name, pod in rendered.pods():
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["runAsUser"] > 0, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod), name
        assert {kind for volume in pod["volumes"] for kind in volume} - {"name"} <= RESTRICTED_VOLUMES, name
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, name


def test_it_may_not_take_all_memory_of_its_node(rendered: Rendered) -> None:
    for name, pod in rendered.pods():
        assert pod["containers"][0]["resources"]["limits"]["memory"], name


def test_only_who_talks_to_the_api_server_has_a_token(rendered: Rendered) -> None:
    found = {name for name, pod in rendered.pods() if pod["automountServiceAccountToken"]}
    assert found == TALK_TO_THE_API_SERVER & {name for name, _ in rendered.pods()}


def test_services_put_no_variables_into_it(rendered: Rendered) -> None:
    assert [name for name, pod in rendered.pods() if pod["enableServiceLinks"]] == []


def test_it_is_given_only_settings_that_its_program_reads(rendered: Rendered) -> None:
    assert unknown(rendered.pod(f"Deployment/{NAME}"), OperatorSettings) == set()
    assert [unknown(pod, WorkerSettings) for pod in workers(rendered)] == [set()] * len(workers(rendered))


def test_a_worker_may_take_longer_to_stop_than_its_attempt(rendered: Rendered) -> None:
    for pod in workers(rendered):
        assert pod["terminationGracePeriodSeconds"] >= float(environment(pod)["STOP_GRACE_S"]) + 15
