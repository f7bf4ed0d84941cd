"""JSON as it stands: what a job's parameters say is data."""

import json

from kombu.serialization import register
from kombu.utils.json import dumps


def decode_json_plainly() -> None:
    """Have Celery, in this process, make no types of its own from an object such as `{"__type__": …, "__value__": …}`.

    A job's owner may write one into the parameters: kombu fails on it, or hands the task something that is no JSON.
    """
    register("json", dumps, json.loads, content_type="application/json", content_encoding="utf-8")  # type: ignore[no-untyped-call]
