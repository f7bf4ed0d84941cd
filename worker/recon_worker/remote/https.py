"""One file at an `https://` URL."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urljoin, urlsplit

import aiohttp
from yarl import URL

from recon_api import reasons
from recon_api.errors import TransientError, UsageError
from recon_worker.remote.addresses import AddressGuard
from recon_worker.remote.locations import RemoteLocation, check_scheme
from recon_worker.remote.remote_file import Opened, access_denied

REDIRECTS = 5
TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=30)
MOVED = (301, 302, 303, 307, 308)
RETRY_AFTER_AT_MOST_S = 600


class HttpsFile:
    """A file that a web server has."""

    def __init__(self, location: RemoteLocation, guard: AddressGuard) -> None:
        """Read it through this guard."""
        self._location, self._guard = location, guard
        self.name = location.name
        self.size = 0

    @asynccontextmanager
    async def open(self, start: int, version: str) -> AsyncIterator[Opened]:
        """Open the file at a position; from its start where it has changed, or the server knows no positions."""
        headers = {"Accept-Encoding": "identity"}
        if start and version:
            headers |= {"Range": f"bytes={start}-", "If-Range": version}
        context = ssl.create_default_context(cafile=self._location.policy.ca_file)
        async with (
            aiohttp.ClientSession(connector=self._guard.connector(), timeout=TIMEOUT, auto_decompress=False) as session,
            self._answer(session, headers, context) as answer,
        ):
            yield self._opened(answer)

    @asynccontextmanager
    async def _answer(
        self, session: aiohttp.ClientSession, headers: dict[str, str], context: ssl.SSLContext
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Yield the answer that has the file; each redirect is checked as the URL itself was."""
        url = self._location.url
        for _ in range(REDIRECTS + 1):
            check_scheme(self._location, url)
            self._guard.begin()
            # The URL is sent as it was written: a signature covers its spelling.
            request = session.get(
                URL(url, encoded=True), headers=headers | self._authorization(url), ssl=context, allow_redirects=False
            )
            async with request as answer:
                if answer.status not in MOVED:
                    self._refuse(answer)
                    yield answer
                    return
                url = urljoin(url, answer.headers.get("Location", ""))
        raise UsageError(
            reasons.INPUT_REJECTED, f"{self._location} leads from one address to the next, {REDIRECTS} times"
        )

    def _authorization(self, url: str) -> dict[str, str]:
        """Return what the Secret says, for the URL's own server and no other that it leads to."""
        if _origin(url) != _origin(self._location.url):
            return {}
        credentials = self._location.credentials
        if token := credentials.get("token"):
            return {"Authorization": f"Bearer {token}"}
        if (user := credentials.get("username")) and (password := credentials.get("password")):
            return {"Authorization": aiohttp.encode_basic_auth(user, password, encoding="utf-8")}
        return {}

    def _refuse(self, answer: aiohttp.ClientResponse) -> None:
        status = answer.status
        if status in (200, 206):
            return
        if status in (404, 410):
            raise FileNotFoundError
        if status in (401, 403):
            raise access_denied(self._location)
        said = f"{self._location}: the server answered {status} {answer.reason or ''}".strip()
        if status in (408, 416, 425, 429) or status >= 500:
            wait = answer.headers.get("Retry-After", "")
            wait_s = min(float(wait), RETRY_AFTER_AT_MOST_S) if wait.isdigit() else 0.0
            raise TransientError(reasons.REMOTE_UNAVAILABLE, said, retry_after_s=wait_s)
        raise UsageError(reasons.INPUT_REJECTED, said)

    def _opened(self, answer: aiohttp.ClientResponse) -> Opened:
        start, total = 0, answer.content_length
        if answer.status == 206:
            # "bytes 100-199/200"
            span, _, whole = answer.headers.get("Content-Range", "").removeprefix("bytes ").partition("/")
            start = int(span.partition("-")[0])
            total = int(whole) if whole.isdigit() else None
        etag = answer.headers.get("ETag", "")
        version = etag if etag and not etag.startswith("W/") else answer.headers.get("Last-Modified", "")
        return Opened(start, total, version, answer.content.iter_any())


def _origin(url: str) -> tuple[str, str | None, int]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or 443
