"""Which jobs have the label of finished jobs and have not finished."""

import pytest

from recon_api.resource import ReconstructionJob
from recon_api.status import Phase
from recon_operator.cleanup.finished_label import is_mislabelled, is_restored
from tests.operator.builders import LABELLED, finished, make_job, queued, running

DONE = finished(Phase.SUCCEEDED)


@pytest.mark.parametrize(
    ("job", "wrong"),
    [
        pytest.param(make_job(status=DONE, labels=LABELLED), False, id="a job that has ended"),
        pytest.param(make_job(status=queued()), False, id="a job without the label"),
        pytest.param(make_job(labels=LABELLED), True, id="a new job"),
        pytest.param(make_job(status=running(), labels=LABELLED), True, id="a job that runs"),
        pytest.param(
            make_job(status=running(phase=Phase.FAILED), labels=LABELLED), True, id="an end without its condition"
        ),
        pytest.param(
            make_job(status=DONE, labels=LABELLED, finalizer=True), True, id="an end that was not seen to by us"
        ),
        pytest.param(make_job(labels=LABELLED, managedBy="example.com/other"), False, id="another controller's job"),
    ],
)
def test_mislabelled(job: ReconstructionJob, wrong: bool) -> None:
    assert is_mislabelled(job) is wrong


@pytest.mark.parametrize(
    ("job", "restored"),
    [
        pytest.param(make_job(labels=LABELLED), True, id="the label and no status"),
        pytest.param(make_job(), False, id="no label: it had not finished"),
        pytest.param(make_job(status=queued(), labels=LABELLED), False, id="a status that somebody has written"),
        pytest.param(make_job(status=DONE, labels=LABELLED), False, id="a job that has ended"),
        pytest.param(make_job(labels=LABELLED, managedBy="example.com/other"), False, id="another controller's job"),
    ],
)
def test_restored(job: ReconstructionJob, restored: bool) -> None:
    assert is_restored(job) is restored
