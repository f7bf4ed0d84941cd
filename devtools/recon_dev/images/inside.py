"""Print, as JSON, what the environment that runs this holds: it is handed to an image's own Python on standard input.

It imports nothing but the standard library, and nothing of this project.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
from importlib.metadata import Distribution, distributions
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ADDED = Path("/opt")
"""Where the Dockerfile puts everything that an image has over its base."""


def contents() -> dict[str, Any]:
    """Return the packages of Python and of Debian, whether some can be imported, the size, and who runs it all."""
    names = ("kopf", "torch", "recon_api", "recon_operator", "recon_runtime", "recon_worker", "pip", "uv", "pytest")
    return {
        "python_version": platform.python_version(),
        "operating_system": platform.freedesktop_os_release(),
        "python": _distributions([path for path in sys.path if path.startswith(sys.prefix)]),
        "python_of_base": _distributions([f"{sys.base_prefix}/lib/python3.{sys.version_info.minor}/site-packages"]),
        "debian": _debian(),
        "importable": [name for name in names if find_spec(name)],
        "programs": [name for name in ("gcc", "make", "git", "uv", "curl") if shutil.which(name)],
        "added_bytes": sum(
            path.lstat().st_size for path in ADDED.rglob("*") if path.is_file() and not path.is_symlink()
        ),
        "uid": os.getuid(),
        "writable": [folder for folder in ("/", "/etc", "/opt", "/opt/reconstruction") if os.access(folder, os.W_OK)],
    }


def _distributions(path: list[str]) -> list[dict[str, str | None]]:
    found = [_distribution(each) for each in distributions(path=path)]
    return sorted(found, key=lambda each: str(each["name"]))


def _distribution(found: Distribution) -> dict[str, str | None]:
    given = found.metadata
    return {"name": given["Name"], "version": found.version, "license": given["License-Expression"]}


def _debian() -> list[dict[str, str]]:
    if not shutil.which("dpkg-query"):
        return []
    form = "${Package}\t${Version}\t${Architecture}\t${db:Status-Status}\n"
    lines = subprocess.run(["dpkg-query", "-W", "-f", form], capture_output=True, text=True, check=True).stdout
    rows = [line.split("\t") for line in lines.splitlines()]
    return [{"name": row[0], "version": row[1], "architecture": row[2]} for row in rows if row[3] == "installed"]


print(json.dumps(contents()))
