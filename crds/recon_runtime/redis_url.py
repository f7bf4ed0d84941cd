"""A URL of Redis as all of its clients understand it: Celery's, kombu's and redis-py's own."""

from urllib.parse import parse_qs, quote


def with_tls(url: str, ca_file: str) -> str:
    """Return a `rediss://` URL that has the server's certificate checked, by the system's authorities where no file is named."""
    if not url.startswith("rediss://"):
        return url
    base, _, query = url.partition("?")
    asked = parse_qs(query)
    wanted = {"ssl_cert_reqs": "required"} | ({"ssl_ca_certs": ca_file} if ca_file else {})
    added = [f"{name}={quote(value, safe='/')}" for name, value in wanted.items() if name not in asked]
    return "?".join((base, "&".join([*([query] if query else []), *added])))
