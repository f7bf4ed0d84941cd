"""Fixtures of the tests on built images: `make images`, then `make test-images`."""

import os
from pathlib import Path

import pytest

from recon_dev.images.contents import Contents, contents_of

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark these tests as slow: they need images, which take minutes to build."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def images() -> dict[str, str]:
    """The image of each side, by the name of its target."""
    given = os.environ.get("IMAGES", "").split()
    if not given:
        pytest.skip("no images named: make test-images does")
    return dict(zip(("operator", "worker"), given, strict=True))


@pytest.fixture(scope="session")
def contents(images: dict[str, str]) -> dict[str, Contents]:
    """What each image holds."""
    return {side: contents_of(image, os.environ.get("IMAGE_RUNNER")) for side, image in images.items()}
