"""Inputs at a URL: brought within limits, from public addresses only, on a real web server with TLS and a real S3 server."""

import io
import socket
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from aiohttp.abc import ResolveResult

from recon_api import reasons
from recon_api.credentials import Credentials
from recon_api.errors import JobCancelled, ReconstructionError, TransientError, UsageError
from recon_api.steps import Step
from recon_worker.inputs.limits import InputLimits
from recon_worker.progress import Progress, SilentSink
from recon_worker.remote import addresses, fetch
from recon_worker.remote.locations import RemoteLocation, RemotePolicy
from tests.support.web import ACCESS_KEY, HOST, S3, SECRET_KEY, Behaviour, WebSite, s3_server, web_site


def archive(size: int = 300_000) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as made:
        made.writestr("photo.jpg", bytes(range(256)) * (size // 256))
    return content.getvalue()


ZIP = archive()


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebSite]:
    with web_site(tmp_path_factory.mktemp("web")) as site:
        yield site


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    with s3_server(tmp_path_factory.mktemp("s3") / "log") as server:
        yield server


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "FIRST_WAIT_S", 0.01)


def names_lead_to(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """Have every name lead to these addresses, one a question, the last one for ever; return the names that were asked for."""
    asked: list[str] = []

    async def lookup(host: str, port: int, _family: socket.AddressFamily) -> list[ResolveResult]:
        asked.append(host)
        address = answers[min(len(asked), len(answers)) - 1]
        return [ResolveResult(hostname=host, host=address, port=port, family=socket.AF_INET, proto=6, flags=0)]

    original = addresses.AddressGuard.__init__

    def made(self: addresses.AddressGuard, allowed_hosts: Any = (), lookup: Any = lookup) -> None:
        original(self, allowed_hosts, lookup)

    monkeypatch.setattr(addresses.AddressGuard, "__init__", made)
    return asked


class Sink(SilentSink):
    """Keeps what it is shown, and stops the work when told to."""

    def __init__(self) -> None:
        self.shown: list[float] = []
        self.stop = threading.Event()

    def show(self, step: Step, percentage: float) -> None:
        self.shown.append(percentage)

    def raise_if_stopped(self) -> None:
        if self.stop.is_set():
            raise JobCancelled(reasons.CANCELLED, "stop")


def bring(place: RemoteLocation, folder: Path, sink: SilentSink | None = None) -> fetch.Fetched:
    folder.mkdir(exist_ok=True)
    return fetch.fetch(place, folder, InputLimits(), Progress.of_step(sink or SilentSink(), Step.LOADING))


def open_policy(web: WebSite, **changes: Any) -> RemotePolicy:
    """The policy of an administrator who lets the test's host be private."""
    return replace(RemotePolicy(ca_file=str(web.ca_file), allowed_hosts={HOST}), **changes)


def web_place(web: WebSite, path: str, credentials: dict[str, str] | None = None, **changes: Any) -> RemoteLocation:
    return RemoteLocation(
        "input.url", web.url(path), Credentials(values=credentials or {}), open_policy(web, **changes)
    )


# --- https -------------------------------------------------------------------------------------------------------


def test_an_archive_is_brought(web: WebSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names_lead_to(monkeypatch, "127.0.0.1")
    web.paths["/a/photos.zip"] = Behaviour(ZIP)
    sink = Sink()
    fetched = bring(web_place(web, "/a/photos.zip?signature=s3cret"), tmp_path / "in", sink)
    assert (tmp_path / "in" / fetched.path).read_bytes() == ZIP
    assert (fetched.files, fetched.bytes, fetched.path) == (1, len(ZIP), "archive.zip")
    assert sink.shown == sorted(sink.shown)
    assert sink.shown[-1] == Step.LOADING.end_percentage
    assert web.requests[-1].path == "/a/photos.zip?signature=s3cret"
    assert web.requests[-1].headers["host"] == f"{HOST}:{web.port}"


@pytest.mark.parametrize(
    ("behaviour", "reason", "words"),
    [
        pytest.param(None, "InputNotFound", "does not exist", id="nothing there"),
        pytest.param(Behaviour(status=403), "AccessDenied", "secretName", id="not allowed"),
        pytest.param(Behaviour(authorization="Bearer x"), "AccessDenied", "asks for credentials", id="not logged in"),
        pytest.param(Behaviour(status=418), "InputRejected", "418", id="an odd answer"),
        pytest.param(Behaviour(ZIP, endless=True), "InputRejected", "URL_MAX_BYTES", id="more than it says"),
        pytest.param(Behaviour(ZIP * 10), "InputRejected", "URL_MAX_BYTES", id="too large by its own word"),
        pytest.param(
            Behaviour(status=302, headers={"Location": "http://photos.example.com/x"}),
            "AddressNotAllowed",
            "only https://",
            id="a redirect to http",
        ),
        pytest.param(
            Behaviour(status=302, headers={"Location": "file:///etc/passwd"}),
            "AddressNotAllowed",
            "only https://",
            id="a redirect to a file",
        ),
        pytest.param(Behaviour(status=302, headers={"Location": "/case"}), "InputRejected", "5 times", id="a circle"),
    ],
)
def test_what_is_refused_for_good(
    web: WebSite,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    behaviour: Behaviour | None,
    reason: str,
    words: str,
) -> None:
    names_lead_to(monkeypatch, "127.0.0.1")
    web.paths.pop("/case", None)
    if behaviour:
        web.paths["/case"] = behaviour
    with pytest.raises(UsageError, match=words) as raised:
        bring(web_place(web, "/case?signature=s3cret", max_bytes=1_000_000), tmp_path / "in")
    assert raised.value.reason.name == reason
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize("name", ["video.mp4", "photo.jpg"])
def test_what_is_no_archive_by_its_name_is_refused_before_it_is_brought(
    web: WebSite, tmp_path: Path, name: str
) -> None:
    before = len(web.requests)
    with pytest.raises(UsageError):
        bring(web_place(web, f"/{name}"), tmp_path / "in")
    assert len(web.requests) == before


def test_a_server_that_nobody_vouches_for_is_refused(
    web: WebSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names_lead_to(monkeypatch, "127.0.0.1")
    with pytest.raises(UsageError, match="certificate") as raised:
        bring(web_place(web, "/a", ca_file=None), tmp_path / "in")
    assert raised.value.reason is reasons.ACCESS_DENIED


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param({"breaks": 3}, id="the connection breaks off, again and again"),
        pytest.param({"fails": 3}, id="the server is busy"),
    ],
)
def test_what_passes_is_tried_again(
    web: WebSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: dict[str, int]
) -> None:
    names_lead_to(monkeypatch, "127.0.0.1")
    web.paths["/t.zip"] = Behaviour(ZIP, **trouble)  # type: ignore[arg-type]
    before = len(web.requests)
    fetched = bring(web_place(web, "/t.zip"), tmp_path / "in")
    assert (tmp_path / "in" / fetched.path).read_bytes() == ZIP
    made = web.requests[before:]
    assert len(made) == 4
    if "breaks" in trouble:
        starts = [int(request.headers["range"].strip("bytes=-")) for request in made[1:]]
        assert starts == sorted(starts)
        assert starts[0] > 0


def test_a_file_that_changes_meanwhile_is_brought_anew(
    web: WebSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names_lead_to(monkeypatch, "127.0.0.1")
    new = archive(500_000)
    web.paths["/c.zip"] = Behaviour(ZIP, breaks=1, replaced_by=Behaviour(new))
    fetched = bring(web_place(web, "/c.zip"), tmp_path / "in")
    assert (tmp_path / "in" / fetched.path).read_bytes() == new


def test_a_server_that_stays_away_is_the_attempts_failure(
    web: WebSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names_lead_to(monkeypatch, "127.0.0.1")
    web.paths["/f.zip"] = Behaviour(ZIP, fails=99)
    with pytest.raises(TransientError, match="503") as raised:
        bring(web_place(web, "/f.zip"), tmp_path / "in")
    assert raised.value.reason is reasons.REMOTE_UNAVAILABLE


@pytest.mark.parametrize("ends", ["by a cancellation", "by its time limit"])
def test_a_server_that_hangs_holds_no_job(
    web: WebSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ends: str
) -> None:
    names_lead_to(monkeypatch, "127.0.0.1")
    hanging = threading.Event()
    web.paths["/h.zip"] = Behaviour(ZIP, hangs=hanging)
    sink, cancelled = Sink(), ends == "by a cancellation"
    timer = threading.Timer(0.5, sink.stop.set)
    if cancelled:
        timer.start()
    try:
        with pytest.raises(JobCancelled if cancelled else TransientError):
            bring(web_place(web, "/h.zip", timeout_s=600 if cancelled else 0.5), tmp_path / "in", sink)
    finally:
        hanging.set()
        timer.cancel()


@pytest.mark.parametrize(
    ("credentials", "header"),
    [
        pytest.param({"token": "t0ken"}, "Bearer t0ken", id="a token"),
        pytest.param({"username": "ann", "password": "pw"}, "Basic YW5uOnB3", id="a user and a password"),
    ],
)
def test_credentials_are_shown_to_their_own_server_alone(
    web: WebSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, credentials: dict[str, str], header: str
) -> None:
    names_lead_to(monkeypatch, "127.0.0.1")
    web.paths["/private.zip"] = Behaviour(ZIP, authorization=header)
    bring(web_place(web, "/private.zip", credentials), tmp_path / "in")
    other = f"https://localhost:{web.port}/elsewhere.zip"
    web.paths["/leads-on.zip"] = Behaviour(status=302, headers={"Location": other})
    web.paths["/elsewhere.zip"] = Behaviour(ZIP)
    place = web_place(web, "/leads-on.zip", credentials, allowed_hosts={HOST, "localhost"})
    bring(place, tmp_path / "other")
    assert web.requests[-1].path == "/elsewhere.zip"
    assert "authorization" not in web.requests[-1].headers


# --- addresses that jobs may not reach ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "localhost", "2130706433", "0x7f000001", "127.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"),  # noqa: S104
        *("10.0.0.1", "169.254.169.254", "100.64.0.1", "224.0.0.1", "[fd00::1]"),
    ],
)
def test_no_url_leads_to_a_private_address(web: WebSite, tmp_path: Path, host: str) -> None:
    web.paths["/x.zip"] = Behaviour(ZIP)
    before = len(web.requests)
    place = RemoteLocation("input.url", web.url("/x.zip", host), policy=RemotePolicy(ca_file=str(web.ca_file)))
    with pytest.raises(UsageError) as raised:
        bring(place, tmp_path / "in")
    assert raised.value.reason is reasons.ADDRESS_NOT_ALLOWED
    assert len(web.requests) == before


@pytest.mark.parametrize(
    "location",
    [
        pytest.param("https://127.0.0.1:{port}/x.zip", id="by number"),
        pytest.param("https://localhost:{port}/x.zip", id="by name"),
        pytest.param("https://169.254.169.254/latest/meta-data/", id="to the cloud's metadata"),
    ],
)
def test_a_redirect_leads_to_no_private_address(
    web: WebSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, location: str
) -> None:
    web.paths["/x.zip"] = Behaviour(ZIP)
    web.paths["/r.zip"] = Behaviour(status=302, headers={"Location": location.format(port=web.port)})

    names_lead_to(
        monkeypatch, "127.0.0.1"
    )  # of the test's own host, which may be private; it does not vouch for others
    before = len(web.requests)
    with pytest.raises(UsageError) as raised:
        bring(web_place(web, "/r.zip"), tmp_path / "in")
    assert raised.value.reason is reasons.ADDRESS_NOT_ALLOWED
    assert [request.path for request in web.requests[before:]] == ["/r.zip"]


def test_a_name_that_changes_its_mind_is_asked_once(
    web: WebSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: public when it is looked at, private when it is connected to."""
    asked = names_lead_to(monkeypatch, "127.0.0.1", "203.0.113.7")
    web.paths["/x.zip"] = Behaviour(ZIP)
    before = len(web.requests)
    place = RemoteLocation("input.url", web.url("/x.zip"), policy=RemotePolicy(ca_file=str(web.ca_file)))
    with pytest.raises(UsageError) as raised:
        bring(place, tmp_path / "in")
    assert raised.value.reason is reasons.ADDRESS_NOT_ALLOWED
    assert asked == [HOST]
    assert len(web.requests) == before


# --- buckets -----------------------------------------------------------------------------------------------------

KEYS = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}


def bucket_place(s3: S3, url: str, credentials: dict[str, str] | None = None, **changes: Any) -> RemoteLocation:
    policy = replace(RemotePolicy(s3_endpoint_url=s3.url), **changes)
    return RemoteLocation("input.url", url, Credentials(values=KEYS if credentials is None else credentials), policy)


def test_an_archive_in_a_bucket_is_brought(s3: S3, tmp_path: Path) -> None:
    s3.bucket("archives", {"in/photos #1.zip": ZIP})
    fetched = bring(bucket_place(s3, "s3://archives/in/photos #1.zip"), tmp_path / "in")
    assert (tmp_path / "in" / fetched.path).read_bytes() == ZIP
    assert fetched.versions[0]


@pytest.mark.parametrize("url", ["s3://prefixes/chair/", "s3://prefixes/chair"])
def test_the_photos_below_a_prefix_are_brought(s3: S3, tmp_path: Path, url: str) -> None:
    if not s3.client.list_buckets()["Buckets"] or "prefixes" not in str(s3.client.list_buckets()["Buckets"]):
        photos = {f"chair/{name}": name.encode() * 100 for name in ("2.jpg", "10.jpg", "more/3.JPG")}
        others = ("chair/notes.txt", "chair/clip.mov", "chair/.hidden.jpg", "chairs/1.jpg")
        s3.bucket("prefixes", photos | dict.fromkeys(others, b"x"))
    fetched = bring(bucket_place(s3, url), tmp_path / "in")
    found = {p.relative_to(tmp_path / "in").as_posix(): p.read_bytes() for p in (tmp_path / "in").rglob("*.*")}
    assert found == {f"photos/{name}": name.encode() * 100 for name in ("2.jpg", "10.jpg", "more/3.JPG")}
    assert (fetched.files, fetched.path) == (3, "photos")
    assert fetched.left_out == {PurePosixPath("clip.mov"): "is a video"}


@pytest.mark.parametrize(
    ("url", "objects", "credentials", "changes", "reason"),
    [
        pytest.param("s3://bucket1/no.zip", {"a": b"x"}, None, {}, "InputNotFound", id="no such object"),
        pytest.param("s3://never-made/a.zip", {}, None, {}, "InputNotFound", id="no such bucket"),
        pytest.param("s3://bucket2/p/", {"p/a.txt": b"x"}, None, {}, "InputRejected", id="no photos"),
        pytest.param("s3://bucket3/p/", {"p/a.cr2": b"x"}, None, {}, "InputRejected", id="photos that can't be read"),
        pytest.param(
            "s3://bucket4/p/", {"p/../a.jpg": b"x"}, None, {}, "InputRejected", id="a name that leads upwards"
        ),
        pytest.param("s3://bucket5/p/", {"p/a.jpg": b"x", "p/a.jpg/b.jpg": b"x"}, None, {}, "InputRejected", id="both"),
        pytest.param("s3://bucket6/v.mp4", {"v.mp4": b"x"}, None, {}, "InputRejected", id="a video"),
        pytest.param(
            "s3://bucket7/p/",
            {f"p/{n}.jpg": b"x" * 99 for n in range(9)},
            None,
            {"max_bytes": 500},
            "InputRejected",
            id="large",
        ),
        pytest.param("gs://bucket8/p/", {}, None, {}, "NotSupported", id="no plug-in for gs"),
        pytest.param("az://bucket9/p/", {}, None, {}, "NotSupported", id="no plug-in for az"),
        pytest.param(
            "s3://bucket10/p/",
            {"p/a.jpg": b"x"},
            {"endpointURL": "http://127.0.0.1:1"},
            {},
            "AddressNotAllowed",
            id="an endpoint without TLS",
        ),
        pytest.param(
            "s3://bucket11/p/",
            {"p/a.jpg": b"x"},
            {"endpointURL": "https://127.0.0.1:1"},
            {},
            "AddressNotAllowed",
            id="an endpoint at a private address",
        ),
        pytest.param(
            "s3://bucket12/p/",
            {"p/a.jpg": b"x"},
            {"endpointURL": "https://localhost:1"},
            {},
            "AddressNotAllowed",
            id="an endpoint whose name leads to one",
        ),
    ],
)
def test_what_of_a_bucket_is_refused_for_good(
    s3: S3, tmp_path: Path, url: str, objects: dict[str, bytes], credentials: Any, changes: Any, reason: str
) -> None:
    if objects:
        s3.bucket(url.split("/")[2], objects)
    with pytest.raises(ReconstructionError) as raised:
        bring(bucket_place(s3, url, credentials, **changes), tmp_path / "in")
    assert (type(raised.value), raised.value.reason.name) == (UsageError, reason), str(raised.value)


def test_a_secret_may_name_an_endpoint_that_the_administrator_allows(s3: S3, tmp_path: Path) -> None:
    s3.bucket("own", {"a.zip": ZIP})
    place = bucket_place(
        s3, "s3://own/a.zip", KEYS | {"endpointURL": s3.url}, s3_endpoint_url=None, allowed_hosts={"127.0.0.1"}
    )
    assert bring(place, tmp_path / "in").bytes == len(ZIP)


def test_without_a_secret_nobodys_credentials_are_used(s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the environment's nor the node's."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    s3.bucket("public")
    s3.client.put_object(Bucket="public", Key="a.zip", Body=ZIP, ACL="public-read")
    seen: list[Any] = []
    _watch_signatures(monkeypatch, seen.append)
    bring(bucket_place(s3, "s3://public/a.zip", {}), tmp_path / "in")
    assert seen
    assert not any("authorization" in {name.lower() for name in headers} for headers in seen)


def _watch_signatures(monkeypatch: pytest.MonkeyPatch, note: Callable[[Any], None]) -> None:
    from aiobotocore.httpsession import AIOHTTPSession

    original = AIOHTTPSession.send

    async def send(self: Any, request: Any) -> Any:
        note(dict(request.headers))
        return await original(self, request)

    monkeypatch.setattr(AIOHTTPSession, "send", send)
