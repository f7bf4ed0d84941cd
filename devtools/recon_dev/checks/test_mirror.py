"""Refuse tests of operator and worker that do not mirror a module."""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from recon_dev.checks.source import python_files, report, shown
from recon_dev.state import CHECKOUT

SIDES = {"tests/operator": "operator/recon_operator", "tests/worker": "worker/recon_worker"}

SEVERAL_MODULES: Mapping[str, str] = {
    "tests/operator/decide/test_decide_properties.py": "what must hold of every decision, for random jobs and observations",
    "tests/operator/decide/test_policies.py": "the order of the policies, two neighbours at a time",
    "tests/worker/stages/test_stopping.py": "every stage stops soon after it is told to",
}
"""Tests of what several modules do together, and what that is."""


def tested_module(test: str) -> str | None:
    """Return the module that a test mirrors, by its path in the checkout; None where the file is no such test."""
    path = PurePosixPath(test)
    root = next((root for root in SIDES if path.is_relative_to(root)), None)
    if root is None or not path.name.startswith("test_"):
        return None
    return str(SIDES[root] / path.relative_to(root).with_name(path.name.removeprefix("test_")))


def findings(tests: Iterable[str], root: Path, several: Mapping[str, str] = SEVERAL_MODULES) -> list[str]:
    """Return a line for each test whose module, or package, is not there, and for each exception that is none."""
    astray = {
        test: module
        for test in tests
        if (module := tested_module(test)) is not None
        and not (root / module).exists()
        and not (root / module.removesuffix(".py") / "__init__.py").exists()
    }
    return [
        *(f"{test}: there is no {module}" for test, module in astray.items() if test not in several),
        *(
            f"{test}: listed as a test of several modules, but it is none, or gone"
            for test in several
            if test not in astray
        ),
    ]


def main() -> int:
    """Check all tests of operator and worker; return the exit status."""
    tests = [str(shown(file)) for file in python_files(*SIDES)]
    return report(findings(tests, CHECKOUT))


if __name__ == "__main__":
    sys.exit(main())
