"""A URL of Redis as all of its clients understand it: Celery's, kombu's and redis-py's own."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, quote

URL_FIELDS = ("celery_broker_url", "celery_result_backend")


def with_tls(url: str, ca_file: str) -> str:
    """Return a `rediss://` URL that has the server's certificate checked, by the system's authorities where no file is named."""
    if not url.startswith("rediss://"):
        return url
    base, _, query = url.partition("?")
    asked = parse_qs(query)
    wanted = {"ssl_cert_reqs": "required"} | ({"ssl_ca_certs": ca_file} if ca_file else {})
    added = [f"{name}={quote(value, safe='/')}" for name, value in wanted.items() if name not in asked]
    return "?".join((base, "&".join([*([query] if query else []), *added])))


def settings_with_tls(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings as they were read, with REDIS_CA_FILE in both URLs."""
    ca_file = str(values.get("redis_ca_file") or "")
    return {
        name: with_tls(value, ca_file) if name in URL_FIELDS and isinstance(value, str) else value
        for name, value in values.items()
    }
