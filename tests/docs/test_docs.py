"""The documentation is true: its links, its manifests, its Python, its commands."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from recon_api.resource import API_VERSION, KIND
from recon_api.spec import IMMUTABLE_FIELDS, ReconstructionJobSpec

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "benchmarks/*.md", "examples/**/*.md", "changelog.d/*.md", "charts/*/*.md")
    for path in ROOT.glob(pattern)
)
EACH_PAGE = pytest.mark.parametrize("page", [pytest.param(p, id=str(p.relative_to(ROOT))) for p in PAGES])

INDEXES = ("docs/README.md", "docs/explanation/decisions/README.md", "examples/README.md")
"""Pages that list the others."""

FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"")
FIELDS = {field.alias or name for name, field in ReconstructionJobSpec.model_fields.items()}


def blocks(page: Path, language: str) -> list[str]:
    """Return the texts of the page's fenced blocks in that language."""
    return [text for kind, text in FENCE.findall(page.read_text()) if kind == language]


def manifests(page: Path) -> Iterator[dict[str, Any]]:
    """Yield the ReconstructionJobs in the page's YAML blocks."""
    for block in blocks(page, "yaml"):
        for document in yaml.safe_load_all(block):
            if isinstance(document, dict) and document.get("kind") == KIND:
                yield document


def patches(page: Path) -> list[str]:
    """Return the `kubectl patch` lines of the page."""
    return [line for block in blocks(page, "console") for line in block.splitlines() if "kubectl patch" in line]


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub makes of the page's headings."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@EACH_PAGE
def test_links_lead_somewhere(page: Path) -> None:
    targets = [first or second for first, second in LINK.findall(FENCE.sub("", page.read_text()))]
    for target in targets:
        path, _, anchor = target.partition("#")
        if "://" in target or target.startswith("mailto:"):
            continue
        linked = (page.parent / path) if path else page
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), target


def test_every_page_is_listed() -> None:
    indexes = [ROOT / name for name in INDEXES]
    linked = {index.parent / first for index in indexes for first, _ in LINK.findall(index.read_text())}
    pages = {page for index in indexes for page in PAGES if page.is_relative_to(index.parent)}
    assert not sorted(map(str, pages - linked - set(indexes)))


@EACH_PAGE
def test_manifests_are_valid(page: Path) -> None:
    for manifest in manifests(page):
        assert manifest["apiVersion"] == API_VERSION
        assert set(manifest["spec"]) <= FIELDS, "a field that the schema does not have"
        ReconstructionJobSpec.model_validate(manifest["spec"])


@EACH_PAGE
def test_python_runs(page: Path) -> None:
    """The blocks of a page run one after the other, as a reader would paste them."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for number, block in enumerate(blocks(page, "python"), 1):
        exec(compile(block, f"{page.relative_to(ROOT)}, block {number}", "exec"), namespace)  # noqa: S102 - our own pages


@EACH_PAGE
def test_make_targets_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = page.read_text()
    named = re.findall(r"`make ([a-z][a-z0-9-]*)", text) + re.findall(r"^make ([a-z][a-z0-9-]*)", text, re.MULTILINE)
    assert set(named) <= targets


@EACH_PAGE
def test_files_and_folders_that_are_named_exist(page: Path) -> None:
    for path in re.findall(
        r"`((?:crds|operator|worker|devtools|tests|benchmarks|examples)/[\w./-]*)`", page.read_text()
    ):
        # The one file that must not exist is named too.
        assert (ROOT / path).exists() or path == "operator/__init__.py", path


@EACH_PAGE
def test_commands_name_files_of_the_environment_that_exist(page: Path) -> None:
    for path in re.findall(r"\.venv/bin/[a-z-]+", page.read_text()):
        assert (ROOT / path).exists(), path


def test_the_readme_cancels_as_the_example_does() -> None:
    """The tests run the example's commands; so the README's are run too."""
    readme, example = (patches(ROOT / name) for name in ("README.md", "examples/02-cancel/README.md"))
    assert readme == example


@EACH_PAGE
def test_patches_change_fields_that_can_be_changed(page: Path) -> None:
    for command in patches(page):
        patch = re.fullmatch(r"kubectl patch rj [a-z-]+ --type=merge -p '([^']+)'(?:  # refused)?", command)
        assert patch, f"a patch that this test cannot read: {command}"
        spec = yaml.safe_load(patch[1])["spec"]
        assert not set(spec) & set(IMMUTABLE_FIELDS)
        assert set(spec) <= FIELDS
        ReconstructionJobSpec.model_validate(spec)
