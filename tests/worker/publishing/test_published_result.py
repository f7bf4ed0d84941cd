"""What a report says of a job."""

import json

import pytest

from recon_worker.files.manifest import Manifest
from recon_worker.publishing.published_result import published_result, report_in


def report(**metrics: str | int) -> str:
    return json.dumps({"stages": [{"step": "Loading input files", "seconds": 1, "metrics": metrics}]})


@pytest.mark.parametrize(
    ("text", "photos", "input_bytes", "metrics"),
    [
        pytest.param(
            report(photos=36, inputBytes=4096),
            36,
            4096,
            {"photos": "36", "inputBytes": "4096"},
            id="counts are numbers, and shown as text",
        ),
        pytest.param(report(photos="36"), None, None, {"photos": "36"}, id="an older report has texts alone"),
        pytest.param(report(points="2"), None, None, {"points": "2"}, id="a model that reads no photos"),
        pytest.param("{", None, None, {}, id="what cannot be read says nothing"),
    ],
)
def test_figures(text: str, photos: int | None, input_bytes: int | None, metrics: dict[str, str]) -> None:
    manifest = Manifest(uid="u", attempt=1, files=())
    found = published_result(report_in(text), manifest, "s3://here")
    assert (found.photos, found.input_bytes) == (photos, input_bytes)
    assert {metric.name: metric.value for metric in found.metrics} == metrics
