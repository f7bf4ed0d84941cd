"""How a model of the API is written: camelCase on the wire, snake_case in Python, unknown fields refused."""

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class ApiModel(BaseModel):
    """A part of the resource, immutable, that refuses a field it does not know."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="forbid",
        frozen=True,
        populate_by_name=True,
        use_attribute_docstrings=True,
    )


class ObservedModel(ApiModel):
    """A part of the resource that others may extend: an unknown field is ignored, for newer writers exist."""

    model_config = ConfigDict(extra="ignore")
