"""Reading JSON, and models in it, from somebody who may have written anything."""

import json
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from recon_api.nesting import is_deeper
from recon_worker.messages.faults import Fault, MessageRefusedError

MAX_BYTES = 8 << 20
"""Of a message: an object of etcd's 1.5 MiB whose texts are all escaped, in Base64, is smaller."""

MAX_DEPTH = 200
"""Of objects and lists within each other. Decoders, here and in Celery, end at some depth below Python's limit of 1,000 calls."""


M = TypeVar("M", bound=BaseModel)


class Checked(BaseModel):
    """A part of a message; newer senders may add fields, which are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)


def read_json(text: bytes, fault: Fault) -> Any:
    """Return the value of a JSON text; raise `MessageRefusedError` with this fault where it is none."""
    try:
        value = json.loads(text.decode(), parse_constant=_refuse_constant)
        if is_deeper(value, MAX_DEPTH):
            raise MessageRefusedError(fault, f"deeper than {MAX_DEPTH}")
        json.dumps(value, ensure_ascii=False).encode()  # half of a surrogate pair is no text
    except (ValueError, RecursionError) as error:
        raise MessageRefusedError(fault, f"no JSON: {type(error).__name__}") from error
    return value


def read_model(model: type[M], value: Any, fault: Fault) -> M:
    """Return a decoded value as this model, without converting anything; raise `MessageRefusedError` with this fault where it is none."""
    try:
        return model.model_validate(value, strict=True)
    except ValidationError as error:
        raise MessageRefusedError(fault, in_short(error)) from error


def in_short(error: ValidationError) -> str:
    """Return which fields are wrong, and how, without a value."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"{'.'.join(map(str, each['loc'])) or 'all of it'}: {each['type']}" for each in found[:5])


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
