"""How the lines of a process look, and which are left out."""

import json
import logging
import subprocess
import sys

import pytest

from recon_runtime.log_lines import JsonLines

UID = "5b0c5a5e-0000-4000-8000-000000000001"


def line_of(formatter: logging.Formatter, **fields: object) -> dict[str, object]:
    record = logging.makeLogRecord(
        {"name": "recon", "levelname": "INFO", "msg": "went %s", "args": ("well",), **fields}
    )
    found: dict[str, object] = json.loads(formatter.format(record))
    return found


@pytest.mark.parametrize(
    ("traced", "fields", "expected"),
    [
        pytest.param(False, {}, {}, id="a line about no job"),
        pytest.param(False, {"uid": UID, "attempt": 2}, {"uid": UID, "attempt": 2}, id="a line names its job"),
        pytest.param(True, {}, {}, id="with traces, a line about no job names none"),
    ],
)
def test_fields_of_a_line(traced: bool, fields: dict[str, object], expected: dict[str, object]) -> None:
    line = line_of(JsonLines("operator", traced=traced), **fields)
    del line["time"]
    assert line == {"level": "INFO", "service": "operator", "logger": "recon", "message": "went well"} | expected


def test_with_traces_a_line_about_a_job_names_its_trace() -> None:
    assert len(str(line_of(JsonLines("worker", traced=True), uid=UID)["trace_id"])) == 32


def test_quiet_libraries_tell_warnings_only() -> None:
    code = (
        "import logging\n"
        "from recon_runtime.logs import TextLines, log_to_stderr\n"
        "log_to_stderr('INFO', TextLines(), quiet=['kombu'])\n"
        "for name in ('recon', 'kombu'):\n"
        "    logging.getLogger(name).info('%s informs', name)\n"
        "    logging.getLogger(name).warning('%s warns', name)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    said = [line.split(maxsplit=3)[2:] for line in done.stderr.splitlines()]
    assert said == [["INFO", "recon informs"], ["WARNING", "recon warns"], ["WARNING", "kombu warns"]]
