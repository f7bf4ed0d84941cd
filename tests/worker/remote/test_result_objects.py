"""Which objects a manifest names."""

from recon_worker.files.manifest import Manifest, PublishedFile
from recon_worker.remote.result_objects import MARK, names_in


def test_a_manifest_leads_nowhere_else() -> None:
    names = ("a", "../b", "c/../../d", "manifest.json", MARK)
    files = tuple(PublishedFile(name=name, bytes=1, sha256="", media_type="") for name in names)
    assert names_in(Manifest(uid="u", attempt=1, files=files)) == {"a"}
