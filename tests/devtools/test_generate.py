"""The generated files: complete, and what `make check` compares."""

from pathlib import Path

import pytest
import yaml

from recon_api.reasons import ALL_REASONS
from recon_api.spec import ReconstructionJobSpec
from recon_api.status import ReconstructionJobStatus
from recon_dev.generate import __main__ as generate
from recon_dev.generate import custom_resource, job_page, reasons_page
from recon_dev.generate.markdown import table


def test_the_custom_resource_is_valid_yaml_of_one_definition() -> None:
    document = yaml.safe_load(custom_resource.render())
    assert (document["kind"], document["metadata"]["name"]) == (
        "CustomResourceDefinition",
        "reconstructionjobs.reconstruction.dev",
    )


@pytest.mark.parametrize("model", [ReconstructionJobSpec, ReconstructionJobStatus])
def test_every_field_of_a_job_is_on_its_page(model: type[ReconstructionJobSpec | ReconstructionJobStatus]) -> None:
    page = job_page.render()
    missing = [name for name, field in model.model_fields.items() if f"| `{field.alias or name}` |" not in page]
    assert not missing


def test_every_reason_is_on_its_page_once() -> None:
    page = reasons_page.render()
    assert {name: page.count(f"| `{name}` |") for name in ALL_REASONS} == dict.fromkeys(ALL_REASONS, 1)


def test_a_cell_cannot_break_its_table() -> None:
    assert table(("a",), [("x | y\nz",)]) == "| a |\n|---|\n| x \\| y z |"


def test_a_file_that_differs_is_named_and_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "page.md").write_text("old\n")
    monkeypatch.setattr(generate, "CHECKOUT", tmp_path)
    monkeypatch.setattr(generate, "GENERATED", {"page.md": lambda: "new\n"})
    monkeypatch.setattr("sys.argv", ["generate", "--check"])
    assert generate.main() == 1
    assert "-old\n+new\n" in capsys.readouterr().out
    assert (tmp_path / "page.md").read_text() == "old\n"


@pytest.mark.slow
def test_generating_makes_the_check_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generate, "CHECKOUT", tmp_path)
    monkeypatch.setattr("sys.argv", ["generate"])
    assert generate.main() == 0
    monkeypatch.setattr("sys.argv", ["generate", "--check"])
    assert generate.main() == 0
