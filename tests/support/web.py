"""A web server and an S3 server of a test: real ones, on the loopback interface, with certificates of an authority of their own."""

import datetime as dt
import hashlib
import ipaddress
import re
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import boto3
from botocore.client import Config
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from recon_dev.probes import url_answers
from tests.support.ports import free_port
from tests.support.waiting import wait_for

HOST = "photos.example.com"
"""A name in the certificate; a test's resolver leads it to the server."""


@dataclass
class Behaviour:
    """What the server does with one path."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    authorization: str = ""
    """What it wants to be told."""
    breaks: int = 0
    """How many of the next answers break off in the middle."""
    fails: int = 0
    """How many of the next answers are 503."""
    replaced_by: "Behaviour | None" = None
    """What takes its place when an answer has broken off, before the client knows."""
    hangs: threading.Event | None = None
    """If set, it waits for this in the middle of the body."""
    endless: bool = False
    """It says no length, and goes on and on."""


@dataclass
class Request:
    path: str
    headers: dict[str, str]


class _Handler(BaseHTTPRequestHandler):
    site: ClassVar["WebSite"]

    def do_GET(self) -> None:
        site, headers = self.server.site, {k.lower(): v for k, v in self.headers.items()}  # type: ignore[attr-defined]
        site.requests.append(Request(self.path, headers))
        found: Behaviour | None = site.paths.get(self.path.partition("?")[0])
        if found is None:
            return self._say(404)
        if found.authorization and headers.get("authorization") != found.authorization:
            return self._say(401)
        if found.fails:
            found.fails -= 1
            return self._say(503)
        with suppress(ConnectionError, ssl.SSLError):
            self._send(found, headers)
        return None

    def _send(self, found: Behaviour, headers: dict[str, str]) -> None:
        etag = f'"{hashlib.sha256(found.body).hexdigest()[:16]}"'
        start, status = 0, found.status
        asked = re.fullmatch(r"bytes=(\d+)-", headers.get("range", ""))
        if asked and headers.get("if-range") == etag:
            start, status = int(asked[1]), 206
        self.send_response(status)
        for name, value in found.headers.items():
            self.send_header(name, value)
        if not found.endless:
            self.send_header("Content-Length", str(len(found.body) - start))
        self.send_header("ETag", etag)
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{len(found.body) - 1}/{len(found.body)}")
        self.end_headers()
        while found.endless:
            self.wfile.write(b"\0" * 65536)
        half = start + (len(found.body) - start) // 2
        self.wfile.write(found.body[start:half])
        self.wfile.flush()
        if found.hangs is not None:
            found.hangs.wait(60)
        if found.breaks:
            found.breaks -= 1
            if found.replaced_by is not None:
                self.server.site.paths[self.path.partition("?")[0]] = found.replaced_by  # type: ignore[attr-defined]
            self.close_connection = True
            self.connection.close()
            return
        self.wfile.write(found.body[half:])

    def _say(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@dataclass
class WebSite:
    """A web server with TLS."""

    port: int
    ca_file: Path
    paths: dict[str, Behaviour] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)

    def url(self, path: str, host: str = HOST) -> str:
        return f"https://{host}:{self.port}{path}"


@contextmanager
def web_site(folder: Path) -> Iterator[WebSite]:
    """Yield a running web server."""
    ca_file, certificate = make_certificates(folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    site = WebSite(server.server_port, ca_file)
    server.site = site  # type: ignore[attr-defined]
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()


def make_certificates(folder: Path) -> tuple[Path, Path]:
    """Write an authority's certificate, and a server's with its key; return both files."""
    folder.mkdir(parents=True, exist_ok=True)
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    ca = (
        _builder(name, name, ca_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    names = [x509.DNSName(HOST), x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    own = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    server = (
        _builder(own, name, key)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    pem, ca_file, file = serialization.Encoding.PEM, folder / "ca.crt", folder / "server.pem"
    ca_file.write_bytes(ca.public_bytes(pem))
    file.write_bytes(
        server.public_bytes(pem)
        + key.private_bytes(pem, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
    )
    return ca_file, file


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
    )


ACCESS_KEY, SECRET_KEY = "AKIAEXAMPLE", "of-the-bucket-0123456789"


@dataclass(frozen=True)
class S3:
    """An S3 server process."""

    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def client(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            region_name="us-east-1",
            config=Config(s3={"addressing_style": "path"}),
        )

    def bucket(self, name: str, objects: dict[str, bytes] | None = None) -> str:
        """Make a bucket with these objects."""
        self.client.create_bucket(Bucket=name)
        for key, body in (objects or {}).items():
            self.client.put_object(Bucket=name, Key=key, Body=body)
        return name

    def objects(self, name: str) -> dict[str, bytes]:
        """Return all objects of a bucket, but those that go meanwhile."""
        found: dict[str, bytes] = {}
        for each in self.client.list_objects_v2(Bucket=name).get("Contents", ()):
            with suppress(self.client.exceptions.NoSuchKey):
                found[each["Key"]] = self.client.get_object(Bucket=name, Key=each["Key"])["Body"].read()
        return found


@contextmanager
def s3_server(log: Path) -> Iterator[S3]:
    """Yield a running S3 server (moto's)."""
    port = free_port()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], stdout=output, stderr=output
        )
        try:
            wait_for("the S3 server answers", lambda: url_answers(f"http://127.0.0.1:{port}/moto-api/"))
            yield S3(port)
        finally:
            process.kill()
            process.wait()
