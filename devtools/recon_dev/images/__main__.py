"""`python -m recon_dev.images IMAGE…`: write each image's bill of materials into dist/."""

import argparse
import os
import sys

from recon_dev.errors import DevError
from recon_dev.images.bill_of_materials import bill_of_materials
from recon_dev.images.contents import contents_of
from recon_dev.state import CHECKOUT


def main() -> int:
    """Write the documents; return the exit status."""
    parser = argparse.ArgumentParser(description="Write the bill of materials of each image into dist/.")
    parser.add_argument("images", metavar="IMAGE", nargs="+", help="such as reconstruction-worker:0.1.0")
    try:
        for image in parser.parse_args().images:
            _write(image)
    except DevError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _write(image: str) -> None:
    contents = contents_of(image, os.environ.get("IMAGE_RUNNER"))
    path = CHECKOUT / "dist" / f"{image.rpartition('/')[2].replace(':', '-')}.cdx.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(bill_of_materials(image, contents))
    packages = f"{len(contents.python)} of Python, {len(contents.debian)} of {contents.operating_system['NAME']}"
    print(f"{path.relative_to(CHECKOUT)}: {packages}; {contents.added_bytes / 1e6:.0f} MB over the base image")


if __name__ == "__main__":
    sys.exit(main())
