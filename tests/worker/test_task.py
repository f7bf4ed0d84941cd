"""What a task makes of an error that was raised while an order to stop was on its way."""

from typing import cast

import pytest

from recon_api import reasons
from recon_api.errors import FatalError, JobCancelled, UsageError
from recon_api.reasons import Reason
from recon_worker.attempt.lease import Lease
from recon_worker.task import _cause

MISTAKE = UsageError(reasons.TOO_FEW_PHOTOS, "2 photos")
BUG = ValueError("odd")


class LeaseOfAnAttempt:
    """Tells, when asked, that the attempt must stop."""

    def __init__(self, order: Reason | None) -> None:
        self._order = order

    def look(self) -> None:
        if self._order:
            raise JobCancelled(self._order, "stop")


@pytest.mark.parametrize(
    ("raised", "order", "told"),
    [
        pytest.param(MISTAKE, None, reasons.TOO_FEW_PHOTOS, id="a mistake is told"),
        pytest.param(MISTAKE, reasons.SUSPENDED, reasons.TOO_FEW_PHOTOS, id="a mistake is told though the job is held"),
        pytest.param(MISTAKE, reasons.SUPERSEDED, reasons.SUPERSEDED, id="a replaced attempt has seen no mistake"),
        pytest.param(MISTAKE, reasons.CANCELLED, reasons.CANCELLED, id="a cancelled job made no mistake"),
        pytest.param(BUG, None, reasons.RECONSTRUCTION_FAILED, id="a failure is told"),
        pytest.param(BUG, reasons.SUSPENDED, reasons.SUSPENDED, id="a held attempt that fails on its way out was held"),
        pytest.param(BUG, reasons.SUPERSEDED, reasons.SUPERSEDED, id="a replaced attempt fails for its files are gone"),
    ],
)
def test_why_an_attempt_ended(raised: Exception, order: Reason | None, told: Reason) -> None:
    cause = _cause(raised, cast("Lease", LeaseOfAnAttempt(order)))
    assert cause.reason == told
    assert isinstance(cause, FatalError) == (told == reasons.RECONSTRUCTION_FAILED)
    assert raised in (cause, cause.__cause__)
