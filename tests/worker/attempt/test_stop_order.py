"""The order to stop."""

import pytest

from recon_api import reasons
from recon_api.errors import JobCancelled
from recon_worker.attempt.stop_order import StopOrder


def test_the_first_order_to_stop_stays() -> None:
    stop = StopOrder()
    stop.raise_if_given()
    stop.give(reasons.SUPERSEDED, "attempt 2 took over")
    stop.give(reasons.CANCELLED, "the job was cancelled")
    with pytest.raises(JobCancelled, match="attempt 2 took over"):
        stop.raise_if_given()
