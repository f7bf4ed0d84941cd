"""The reference page of all settings that operator and worker read from the environment."""

import inspect
import json
from collections.abc import Iterator
from enum import Enum
from types import ModuleType
from typing import Any

from pydantic import AliasChoices, BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from recon_dev.generate.markdown import code, page, table
from recon_operator import settings as operator_settings
from recon_worker import settings as worker_settings

INTRODUCTION = """\
Operator and worker are configured by environment variables, read once when they start. A wrong value stops them with a
sentence that names the variable. The local cluster hands on what is set where it is started, such as
`CANCELLATION_EXPIRY_S=60 make up`."""


def render() -> str:
    """Return the page: one table for each process."""
    return page(
        "Settings",
        INTRODUCTION,
        _section("The operator", operator_settings),
        _section("The worker", worker_settings),
    )


def _section(title: str, module: ModuleType) -> str:
    rows = [row for settings in _settings_of(module) for row in _rows(settings)]
    return f"## {title}\n\n{table(('Variable', 'Default', 'Meaning'), rows)}"


def _settings_of(module: ModuleType) -> Iterator[type[BaseSettings]]:
    for _, value in inspect.getmembers(module, inspect.isclass):
        if issubclass(value, BaseSettings) and value.__module__ == module.__name__:
            yield value


def _rows(model: type[BaseModel], prefix: str = "", delimiter: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield a row for each variable; a nested model's are its field's name, the delimiter and their own."""
    prefix = prefix or str(model.model_config.get("env_prefix", ""))
    delimiter = delimiter or str(model.model_config.get("env_nested_delimiter") or "")
    for name, field in model.model_fields.items():
        variable = _alias(field) or prefix + name
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _rows(field.annotation, variable + delimiter, delimiter)
        else:
            yield code(variable.upper()), _default(field), field.description or ""


def _alias(field: FieldInfo) -> str:
    alias = field.validation_alias or field.alias
    return str(alias.choices[0] if isinstance(alias, AliasChoices) else alias or "")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    return code(_text(field.default)) if field.default_factory is None else "computed"


def _text(value: Any) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value() and "…"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, tuple | list):
        return ",".join(map(str, value))
    if isinstance(value, bool | float):
        return json.dumps(value).removesuffix(".0")
    return "" if value is None else str(value)
