"""Buckets, by fsspec: `s3://` by s3fs; `gs://` and `az://` where their plug-ins are installed."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from recon_api import reasons
from recon_api.errors import UsageError
from recon_worker.remote.addresses import AddressGuard
from recon_worker.remote.locations import RemoteLocation
from recon_worker.remote.remote_file import CHUNK_BYTES, Opened

BLOCK_BYTES = 8 << 20
"""What is asked for at once where a plug-in has no stream."""

PLUG_INS = {"s3": "s3fs", "gs": "gcsfs", "az": "adlfs"}


@asynccontextmanager
async def opened_bucket(location: RemoteLocation, guard: AddressGuard) -> AsyncIterator[Any]:
    """Yield fsspec's file system of a bucket, with the job's credentials and no others."""
    if location.scheme == "s3":
        async with _s3(location, guard) as files:
            yield files
        return
    yield _plug_in(location)


@asynccontextmanager
async def _s3(location: RemoteLocation, guard: AddressGuard) -> AsyncIterator[Any]:
    from s3fs import S3FileSystem

    for name in ("aiobotocore", "botocore", "fsspec", "s3fs"):
        logging.getLogger(name).setLevel(logging.INFO)  # below that they show what a request is signed with

    credentials, policy = location.credentials, location.policy
    endpoint = _endpoint(location)
    if endpoint and endpoint == policy.s3_endpoint_url:
        guard.allowed_hosts = {*guard.allowed_hosts, (urlsplit(endpoint).hostname or "").lower()}
    key = credentials.get("AWS_ACCESS_KEY_ID")
    files = S3FileSystem(
        # Without a Secret: nobody, and not whoever the node or the worker is to the cloud.
        anon=key is None,
        key=key,
        secret=credentials.get("AWS_SECRET_ACCESS_KEY"),
        token=credentials.get("AWS_SESSION_TOKEN"),
        endpoint_url=endpoint,
        client_kwargs={"verify": policy.ca_file} if policy.ca_file else {},
        config_kwargs={
            "connector_args": {"resolver": guard, "socket_factory": guard.open, "use_dns_cache": False},
            "connect_timeout": 10,
            "read_timeout": 30,
            "retries": {"max_attempts": 1},
            "proxies": {},
        },
        asynchronous=True,
        skip_instance_cache=True,
        use_listings_cache=False,
    )
    files.retries = 1  # an attempt has its own way to try again, which looks for a cancellation meanwhile
    session = await files.set_session()
    try:
        yield files
    finally:
        await session.close()


def _endpoint(location: RemoteLocation) -> str | None:
    """Return where the S3 server is; raise `UsageError` where a Secret names one that is not encrypted and not allowed."""
    own = location.credentials.get("endpointURL")
    if own is None:
        return location.policy.s3_endpoint_url
    parts = urlsplit(own)
    host = (parts.hostname or "").lower()
    if parts.scheme != "https" and not (parts.scheme == "http" and host in location.policy.allowed_hosts):
        raise UsageError(
            reasons.ADDRESS_NOT_ALLOWED, f"{location}: the Secret's endpointURL must be an https:// URL, but it is not"
        )
    return own


def _plug_in(location: RemoteLocation) -> Any:
    import fsspec

    try:
        kind = fsspec.get_filesystem_class(location.scheme)
    except ImportError as error:
        raise UsageError(
            reasons.NOT_SUPPORTED,
            f"{location}: the worker's image has no {PLUG_INS[location.scheme]}, which {location.scheme}:// needs; "
            "use s3:// or https://, or ask the administrator to add it",
        ) from error
    options: dict[str, Any] = {"token": location.credentials.get("token") or "anon"} if location.scheme == "gs" else {}
    if location.scheme == "az":
        options = {
            "account_name": location.credentials.get("username"),
            "account_key": location.credentials.get("password"),
            "anon": location.credentials.get("password") is None,
        }
    return kind(asynchronous=True, skip_instance_cache=True, **options)


@dataclass(frozen=True)
class BucketFile:
    """One object of a bucket."""

    files: Any
    """fsspec's file system."""
    path: str
    """With the bucket."""
    name: PurePosixPath
    size: int
    etag: str

    @asynccontextmanager
    async def open(self, start: int, version: str) -> AsyncIterator[Opened]:
        """Open the object at a position. Raises FileNotFoundError where it has changed since it was listed."""
        first = start if version else 0
        yield Opened(first, self.size, self.etag or str(self.size), self._chunks(first))

    async def _chunks(self, start: int) -> AsyncIterator[bytes]:
        if self.files.protocol[0] == "s3":
            async for chunk in self._streamed(start):
                yield chunk
            return
        for position in range(start, self.size, BLOCK_BYTES):
            yield await self.files._cat_file(self.path, start=position, end=min(position + BLOCK_BYTES, self.size))  # noqa: SLF001 - fsspec's names for its own asynchronous half

    async def _streamed(self, start: int) -> AsyncIterator[bytes]:
        bucket, _, key = self.path.partition("/")
        options = {"Range": f"bytes={start}-"} if start else {}
        answer = await self.files._call_s3("get_object", Bucket=bucket, Key=key, IfMatch=self.etag, **options)  # noqa: SLF001
        async with answer["Body"] as body:
            while chunk := await body.read(CHUNK_BYTES):
                yield chunk


async def listed_files(location: RemoteLocation, files: Any, most: int) -> tuple[list[BucketFile], bool]:
    """Return the object that the URL names, or those below it as a prefix, and whether it is a prefix.

    Raises FileNotFoundError where there is none, `UsageError` where there are too many.
    """
    path = f"{location.bucket}/{location.path}".rstrip("/")
    if location.path and not location.path.endswith("/"):
        try:
            info = await files._info(path)  # noqa: SLF001
        except FileNotFoundError:
            info = {"type": "directory"}
        if info["type"] == "file":
            return [_file(files, info, location.name)], False
    found: list[BucketFile] = []
    async for _, _, entries in files._walk(path, detail=True):  # noqa: SLF001
        objects = [info for info in entries.values() if info["type"] == "file" and info["name"].rstrip("/") != path]
        found += [_file(files, info, PurePosixPath(info["name"].removeprefix(f"{path}/"))) for info in objects]
        if len(found) > most:
            raise UsageError(reasons.INPUT_REJECTED, f"{location} holds more than {most} files; leave photos only")
    if not found:
        raise FileNotFoundError(path)
    return found, True


def _file(files: Any, info: dict[str, Any], name: PurePosixPath) -> BucketFile:
    etag = str(info.get("ETag") or info.get("etag") or "")
    return BucketFile(files, str(info["name"]), name, int(info["size"]), etag)
