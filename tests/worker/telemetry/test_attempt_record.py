"""What the main process counts of an attempt: each end once, and nothing that cannot be read."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from recon_api.payload import AttemptResult, Outcome
from recon_worker.telemetry.attempt_record import AttemptRecord, collect_records, record_of, write_record

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def result(outcome: Outcome, reason: str = "") -> AttemptResult:
    return AttemptResult(
        outcome=outcome,
        attempt=1,
        reason=reason,
        photos=17,
        input_bytes=4096,
        started_at=BEGAN,
        finished_at=BEGAN - timedelta(hours=1),  # the clock was set back meanwhile
        ran_s=30.0,
    )


@pytest.mark.parametrize(
    ("end", "photos", "size"),
    [
        pytest.param(
            record_of("u", "synthetic", result(Outcome.COMPLETED)), 17, 4096, id="a completed job counts its input"
        ),
        pytest.param(
            record_of("u", "synthetic", result(Outcome.FAILED, "WorkerLost")), 0, 0, id="a failed attempt does not"
        ),
    ],
)
def test_the_input(end: AttemptRecord, photos: int, size: int) -> None:
    assert (end.photos, end.input_bytes, end.seconds) == (photos, size, 30.0)


def test_an_attempt_that_never_ran_took_no_time() -> None:
    assert record_of("u", "m", AttemptResult(outcome=Outcome.FAILED, attempt=1)).seconds == 0.0


def test_each_end_is_collected_once_and_rubbish_never(tmp_path: Path) -> None:
    write_record(tmp_path, record_of("u", "synthetic", result(Outcome.COMPLETED)))
    (tmp_path / "v.1.ended").write_text("{")
    (tmp_path / "w.1.draft").write_text("{")
    assert [end.uid for end in collect_records(tmp_path)] == ["u"]
    assert list(collect_records(tmp_path)) == []
