"""What a figure depends on: the machine, the versions, and what the processes used."""

import os
import platform
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

from recon_dev.state import CHECKOUT, StateDir
from recon_dev.status import ClusterStatus

PACKAGES = ("reconstruction-operator", "kopf", "kubernetes", "celery", "kombu", "redis", "torch", "pycolmap")


def describe_run() -> dict[str, Any]:
    """Return date, commit, machine and versions, to be stored beside every figure."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "load_before": [round(value, 2) for value in os.getloadavg()],
        "python": platform.python_version(),
        "versions": {package: _version(package) for package in PACKAGES},
    }


@dataclass(frozen=True)
class Usage:
    """What one process and its children have used so far."""

    cpu_s: float
    rss_mib: float


def usages(state: StateDir) -> dict[str, Usage]:
    """Return the usage of every component of the local cluster, by name."""
    return {
        component.name: _usage(component.pid) for component in ClusterStatus.load(state).components if component.pid
    }


def _usage(pid: int) -> Usage:
    process = psutil.Process(pid)
    family = [process, *process.children(recursive=True)]
    cpu = sum(each.cpu_times().user + each.cpu_times().system for each in family)
    return Usage(cpu_s=cpu, rss_mib=sum(each.memory_info().rss for each in family) / 2**20)


def _cpu_model() -> str:
    with Path("/proc/cpuinfo").open() as file:
        names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _version(package: str) -> str | None:
    """Return the version of a distribution; None where it is not installed: not every benchmark needs each."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _commit() -> str:
    """Return the commit; nothing where the checkout is no repository."""
    command = ["git", "describe", "--always", "--dirty"]
    try:
        return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False).stdout.strip()
    except FileNotFoundError:  # no git
        return ""
