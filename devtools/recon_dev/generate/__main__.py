"""`python -m recon_dev.generate [--check]`: write the generated files, or say which of them are not up to date."""

import argparse
import difflib
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from recon_dev.generate import (
    chart_files,
    chart_values,
    custom_resource,
    job_page,
    metrics_page,
    permissions_page,
    reasons_page,
    redis_users_page,
    settings_page,
)
from recon_dev.generate.dashboards.fleet import FLEET
from recon_dev.generate.dashboards.grafana import render
from recon_dev.generate.dashboards.internals import INTERNALS
from recon_dev.generate.dashboards.namespaces import NAMESPACES
from recon_dev.generate.phases import page as phases_page
from recon_dev.state import CHECKOUT

CHART = "charts/reconstruction-operator"

GENERATED: dict[str, Callable[[], str]] = {
    "crds/reconstructionjobs.yaml": custom_resource.render,
    "docs/reference/reconstructionjob.md": job_page.render,
    "docs/reference/phases.md": phases_page.render,
    "docs/reference/reasons.md": reasons_page.render,
    "docs/reference/settings.md": settings_page.render,
    "docs/reference/metrics.md": metrics_page.render,
    "docs/reference/permissions.md": permissions_page.render,
    f"{CHART}/values.yaml": chart_values.values_file,
    f"{CHART}/values.schema.json": chart_values.values_schema,
    f"{CHART}/README.md": chart_values.readme,
    f"{CHART}/files/reconstructionjobs.yaml": chart_files.definition,
    f"{CHART}/files/permissions.yaml": chart_files.permissions,
    f"{CHART}/dashboards/fleet.json": partial(render, FLEET),
    f"{CHART}/dashboards/namespaces.json": partial(render, NAMESPACES),
    f"{CHART}/dashboards/operator.json": partial(render, INTERNALS),
    f"{CHART}/files/redis-acl.conf": redis_users_page.render_file,
    "docs/reference/redis-users.md": redis_users_page.render,
}
"""Every generated file of the checkout, and what makes it."""


def main() -> int:
    """Write or compare every generated file; return the exit status."""
    parser = argparse.ArgumentParser(description="Write the files that are made from the code.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a file is not up to date")
    check = parser.parse_args().check
    differ = [_compare(path, render()) for path, render in GENERATED.items()] if check else []
    if not check:
        for path, render in GENERATED.items():
            _write(CHECKOUT / path, render())
    if any(differ):
        print("run `make generate`", file=sys.stderr)
    return 1 if any(differ) else 0


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _compare(path: str, wanted: str) -> bool:
    """Print how the file differs from what it should be; return whether it does."""
    file = CHECKOUT / path
    present = file.read_text() if file.exists() else ""
    sys.stdout.writelines(
        difflib.unified_diff(
            present.splitlines(keepends=True), wanted.splitlines(keepends=True), path, f"{path} (generated)"
        )
    )
    return present != wanted


if __name__ == "__main__":
    sys.exit(main())
