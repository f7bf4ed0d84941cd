"""A whole reconstruction inside the worker's image, as a cluster runs it: no rights, a read-only root, only /tmp to write to."""

import base64
import json
import os

from recon_dev.images.contents import run_python
from tests.support.photo_sets import rendered_photos

SCRIPT = """
import base64, json, subprocess, sys
from pathlib import Path

photos, out = Path("/tmp/photos"), Path("/tmp/out")
photos.mkdir()
for name, data in json.loads(PHOTOS).items():
    (photos / name).write_bytes(base64.b64decode(data))
command = ["reconstruction-worker", "reconstruct", str(photos), str(out), "--quality", "draft"]
done = subprocess.run(command, capture_output=True, text=True)
files = {str(path.relative_to(out)): path.stat().st_size for path in out.rglob("*") if path.is_file()}
print(json.dumps({"code": done.returncode, "said": done.stderr[-2000:], "files": files}))
"""


def test_the_workers_image_turns_photos_into_a_mesh(images: dict[str, str]) -> None:
    photos = {path.name: base64.b64encode(path.read_bytes()).decode() for path in rendered_photos()}
    script = f"PHOTOS = {json.dumps(photos)!r}\n{SCRIPT}"

    told = json.loads(run_python(images["worker"], script, os.environ.get("IMAGE_RUNNER")))

    assert told["code"] == 0, told["said"]
    assert {"mesh.glb", "report.json"} <= set(told["files"])
