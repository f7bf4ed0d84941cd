"""The bill of materials, from what is told of this machine's own environment: no image is needed."""

import json
import subprocess
import sys

import pytest

from recon_dev.images.bill_of_materials import bill_of_materials
from recon_dev.images.contents import INSIDE, Contents, DebianPackage

pytestmark = pytest.mark.slow


def test_it_names_every_package_of_python_and_of_debian() -> None:
    told = subprocess.run([sys.executable, "-"], input=INSIDE.read_text(), capture_output=True, text=True, check=True)
    contents = Contents.model_validate_json(told.stdout).model_copy(
        update={
            "operating_system": {"ID": "debian", "NAME": "Debian", "VERSION_ID": "12"},
            "debian": [DebianPackage(name="libc6", version="2.36-9", architecture="amd64")],
        }
    )

    bill = json.loads(bill_of_materials("registry.example.com:5000/reconstruction-operator:1.0", contents))

    assert bill["metadata"]["component"]["name"] == "registry.example.com:5000/reconstruction-operator"
    purls = {each["purl"] for each in bill["components"] if "purl" in each}
    assert "pkg:deb/debian/libc6@2.36-9?arch=amd64&distro=debian-12" in purls
    assert {f"pkg:pypi/{each.name.lower().replace('_', '-')}@{each.version}" for each in contents.python} <= purls
