"""Asking a server whether it serves."""

import ssl
import urllib.error
import urllib.request
from pathlib import Path

import redis

PROBE_TIMEOUT_S = 2.0


def url_answers(url: str, authority: Path | None = None) -> bool:
    """Say whether GET of a URL answers 200; `authority` is the file of the certificate that signed the server's."""
    context = ssl.create_default_context(cafile=str(authority)) if authority and authority.exists() else None
    try:
        with urllib.request.urlopen(url, timeout=PROBE_TIMEOUT_S, context=context) as answer:  # noqa: S310 - our own URL
            return int(answer.status) == 200
    except (OSError, urllib.error.URLError):
        return False


def redis_answers(url: str) -> bool:
    """Say whether a Redis server answers PING."""
    try:
        with redis.Redis.from_url(
            url, socket_timeout=PROBE_TIMEOUT_S, socket_connect_timeout=PROBE_TIMEOUT_S
        ) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False
