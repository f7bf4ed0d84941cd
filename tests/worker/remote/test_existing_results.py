"""Whose a place in a bucket is."""

import pytest

from recon_worker.files.manifest import Manifest, PublishedFile
from recon_worker.remote.existing_results import _Seen

UID, OTHER = "0f5c3a1e-0000-4000-8000-000000000001", "0f5c3a1e-0000-4000-8000-000000000002"


def manifest(uid: str, *names: str) -> Manifest:
    files = tuple(PublishedFile(name=name, bytes=1, sha256="", media_type="") for name in names)
    return Manifest(uid=uid, attempt=1, files=files)


def mark(uid: str, *names: str) -> bytes:
    return manifest(uid, *names).model_dump_json().encode()


@pytest.mark.parametrize(
    ("seen", "names"),
    [
        pytest.param(_Seen(None, b""), set(), id="nothing there"),
        pytest.param(_Seen(manifest(UID, "a", "b/c"), b""), {"a", "b/c"}, id="published"),
        pytest.param(_Seen(manifest(OTHER, "a"), b""), set(), id="another's"),
        pytest.param(_Seen(None, mark(UID, "a")), {"a"}, id="an upload that was broken off"),
        pytest.param(_Seen(None, mark(OTHER, "a")), set(), id="another's upload"),
        pytest.param(_Seen(manifest(UID, "a"), mark(OTHER, "a")), set(), id="another is about to publish there"),
        pytest.param(_Seen(manifest(OTHER, "a"), mark(UID, "b")), set(), id="another has published since"),
        pytest.param(_Seen(manifest(UID, "a"), f"{OTHER}.1".encode()), {"a"}, id="another works for that place"),
        pytest.param(_Seen(None, f"{UID}.1".encode()), set(), id="nothing was uploaded yet"),
    ],
)
def test_only_a_jobs_own_objects_are_named(seen: _Seen, names: set[str]) -> None:
    assert seen.names_of(UID) == names
