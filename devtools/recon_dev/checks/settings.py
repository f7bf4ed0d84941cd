"""Refuse settings that the reference documents and no code reads."""

import ast
import sys
from collections.abc import Iterable, Iterator

from pydantic import BaseModel

from recon_dev.checks.source import python_files, report, tree_of
from recon_operator.settings import OperatorSettings
from recon_worker.settings import WorkerSettings

HOLDERS = ("settings", "settings()", "limits")
"""How an expression ends that a setting is read from, such as `memo.settings` or `worker_settings()`."""

VALIDATORS = ("field_validator", "model_validator")

READ_WHILE_READING = {"redis_ca_file": "becomes a part of both URLs before anything reads those"}
"""Settings of which nothing is left once all are read, and why."""


def fields_of(model: type[BaseModel]) -> Iterator[str]:
    """Yield the names of a model's fields, and of those of the models in it."""
    for name, field in model.model_fields.items():
        yield name
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from fields_of(field.annotation)


def read_by(tree: ast.AST, holders: tuple[str, ...] = HOLDERS) -> Iterator[str]:
    """Yield the names of attributes that code reads from settings; to check a setting is not to read it."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.FunctionDef) and any(map(_is_validator, child.decorator_list)):
            continue
        if isinstance(child, ast.Attribute) and ast.unparse(child.value).endswith(holders):
            yield child.attr
        in_settings = isinstance(child, ast.ClassDef) and child.name.endswith("Settings")
        yield from read_by(child, (*HOLDERS, "self") if in_settings else holders)


def findings(side: type[BaseModel], trees: Iterable[ast.AST]) -> list[str]:
    """Return a line for each setting of this side that nothing reads."""
    read = {*READ_WHILE_READING, *(name for tree in trees for name in read_by(tree))}
    return [f"{side.__name__}.{name}: a setting that no code reads" for name in fields_of(side) if name not in read]


def main() -> int:
    """Check both sides' settings; return the exit status."""
    operator = findings(OperatorSettings, map(tree_of, python_files("operator")))
    return report([*operator, *findings(WorkerSettings, map(tree_of, python_files("worker")))])


def _is_validator(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Call) and ast.unparse(decorator.func) in VALIDATORS


if __name__ == "__main__":
    sys.exit(main())
