"""skaffold.yaml names what is there: targets of the Dockerfile, files, and values of the chart."""

import re
from typing import Any

import pytest
import yaml

from recon_dev import live
from recon_dev.state import CHECKOUT

SKAFFOLD: dict[str, Any] = yaml.safe_load((CHECKOUT / "skaffold.yaml").read_text())
PROFILES = {profile["name"]: profile["patches"] for profile in SKAFFOLD["profiles"]}


def _at(place: Any, path: str) -> Any:
    for key in path.strip("/").split("/"):
        place = place[int(key)] if isinstance(place, list) else place[key]
    return place


def _values(settings: dict[str, Any]) -> list[str]:
    return [path for path in settings if not path.endswith((".DEVICE",))]


def test_it_builds_targets_that_the_dockerfile_has() -> None:
    targets = set(re.findall(r"^FROM .* AS (\S+)$", (CHECKOUT / "Dockerfile").read_text(), re.MULTILINE))
    named = {artifact["docker"]["target"] for artifact in SKAFFOLD["build"]["artifacts"]}
    named |= {patch["value"] for patch in PROFILES["live"] if patch["path"].endswith("/target")}
    assert named == {"operator", "worker", "operator-live", "worker-live"}
    assert named <= targets


@pytest.mark.parametrize("profile", ["cpu", "gpu"])
def test_the_values_that_it_sets_are_the_charts(profile: str) -> None:
    release = SKAFFOLD["deploy"]["helm"]["releases"][0]
    chart = yaml.safe_load((CHECKOUT / release["chartPath"] / "values.yaml").read_text())
    given = [*release["setValueTemplates"], *_values(PROFILES[profile][0]["value"])]
    for path in given:
        _at(chart, path.replace(".", "/"))


@pytest.mark.parametrize(
    ("artifact", "packages"),
    [
        pytest.param(
            0, {"recon_api", "recon_runtime", "recon_operator"}, id="the operator's Pods get the operator's code"
        ),
        pytest.param(1, {"recon_api", "recon_runtime", "recon_worker"}, id="the workers' Pods get the workers' code"),
    ],
)
def test_changed_files_go_where_the_live_targets_look_for_them(artifact: int, packages: set[str]) -> None:
    path = f"/build/artifacts/{artifact}/sync"
    rules = next(patch["value"]["manual"] for patch in PROFILES["live"] if patch["path"] == path)
    assert {rule["dest"] for rule in rules} == {str(live.LIVE)}
    sent = [file.relative_to(CHECKOUT / rule["strip"]) for rule in rules for file in CHECKOUT.glob(rule["src"])]
    assert {file.parts[0] for file in sent} == packages
