"""kombu's envelope of a message in Redis: an object around a body in Base64."""

import base64
import binascii
import json
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from recon_worker.messages.faults import Fault, MessageRefusedError
from recon_worker.messages.reading import MAX_BYTES, Checked, in_short, read_json

Tag = Annotated[str, Field(pattern=r"^[-A-Za-z0-9_.]{1,100}$")]
"""An id of kombu's: a UUID. It becomes part of a key."""

CONTENT = {"content-type", "content-encoding"}


class DeliveryInfo(Checked):
    """Where the message was sent."""

    exchange: str
    routing_key: str


class Properties(Checked):
    """What kombu knows a message by."""

    delivery_tag: Tag
    delivery_info: DeliveryInfo
    body_encoding: Literal["base64"]
    priority: Annotated[int, Field(ge=0, le=9)] = 0


class Envelope(Checked):
    """A message whose body and headers are still to be read."""

    body: str
    content_type: Literal["application/json"] = Field(alias="content-type")
    content_encoding: Literal["utf-8"] = Field(alias="content-encoding")
    headers: dict[str, Any]
    properties: Properties


def read_envelope(raw: bytes) -> Envelope:
    """Return the envelope of a message; raise `MessageRefusedError`."""
    if len(raw) > MAX_BYTES:
        raise MessageRefusedError(Fault.TOO_LARGE, f"more than {MAX_BYTES} bytes")
    value = read_json(raw, Fault.NOT_JSON)
    try:
        envelope = Envelope.model_validate(value, strict=True)
    except ValidationError as error:
        wrong = {".".join(map(str, each["loc"])) for each in error.errors()}
        raise MessageRefusedError(Fault.ENCODING if wrong <= CONTENT else Fault.ENVELOPE, in_short(error)) from error
    if envelope.headers.get("compression") is not None:
        raise MessageRefusedError(Fault.ENCODING, "compressed")
    return envelope


def read_body(envelope: Envelope) -> Any:
    """Return the decoded body; raise `MessageRefusedError`."""
    try:
        content = base64.b64decode(envelope.body, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MessageRefusedError(Fault.BODY, "no Base64") from error
    return read_json(content, Fault.BODY)


def write_message(sent: Envelope, body: Any, headers: dict[str, Any], **properties: Any) -> bytes:
    """Return a message like the one that was sent, with these contents and nothing else of it."""
    return json.dumps(
        {
            "body": base64.b64encode(json.dumps(body).encode()).decode(),
            "content-encoding": sent.content_encoding,
            "content-type": sent.content_type,
            "headers": headers,
            "properties": {
                "delivery_mode": 2,
                "priority": sent.properties.priority,
                "body_encoding": sent.properties.body_encoding,
                "delivery_tag": sent.properties.delivery_tag,
                **properties,
            },
        }
    ).encode()
