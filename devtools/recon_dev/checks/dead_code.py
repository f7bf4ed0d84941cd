"""Refuse functions, methods, classes and constants that only their definition names; tests do not count as use.

Vulture looks; of what it finds, attributes and lower-case variables are left out: those are settings of libraries and fields
of models, which others read.
"""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from vulture import Vulture

from recon_dev.checks.source import python_files, report, shown

FOLDERS = ("crds", "operator", "worker", "devtools", "benchmarks")

DECORATORS = ("@field_validator", "@model_validator", "@field_serializer", "@model_serializer", "@*.connect", "@kopf.*")
"""What they decorate is called by pydantic, Celery or kopf."""

USED_ELSEWHERE: Mapping[str, str] = {
    "request_cancellation": "the contract: any program may cancel over Redis, docs/reference/redis.md",
    "confirm_cancellation": "the same",
    "is_job_cancelled": "the same",
    "cancel_pending": "the same",
    "clear_cancellation": "the same",
    "WEIGHTS_NOT_FOUND": "the contract: for models of others, docs/how-to/write-a-model.md",
    "UNKNOWN": "the contract: a condition's third state in Kubernetes, which statuses of others may have",
    "OBJ": "the contract: a format, which code finds by its value",
    "PLY": "the same",
    "MultiView": "an entry point",
    "Synthetic": "an entry point",
    "build_mesh": "a stage, which the model imports by its name",
    "export_model": "the same",
    "render_previews": "the same",
    "log_message": "called by http.server",
}
"""Names that no code here uses, and why they stay."""


def unused_in(files: Iterable[Path]) -> dict[str, str]:
    """Return the names that only their definition names, each with the line that says where."""
    vulture = Vulture(ignore_names=["_*"], ignore_decorators=list(DECORATORS))
    vulture.scavenge([str(file) for file in files])
    code = [*vulture.unused_funcs, *vulture.unused_methods, *vulture.unused_classes, *vulture.unused_props]
    constants = [item for item in vulture.unused_vars if item.name.isupper()]
    return {
        item.name: f"{shown(Path(item.filename))}:{item.first_lineno}: nothing but tests uses {item.name}"
        for item in (*code, *constants)
    }


def findings(files: Iterable[Path], elsewhere: Mapping[str, str] = USED_ELSEWHERE) -> list[str]:
    """Return a line for each unused name, and for each exception that is none."""
    unused = unused_in(files)
    return [
        *(line for name, line in unused.items() if name not in elsewhere),
        *(
            f"{name}: listed as used elsewhere, but it is used here, or gone"
            for name in elsewhere
            if name not in unused
        ),
    ]


def main() -> int:
    """Check all code but the tests; return the exit status."""
    return report(findings(python_files(*FOLDERS)))


if __name__ == "__main__":
    sys.exit(main())
