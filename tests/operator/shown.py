"""Versions of jobs as the API server shows them."""

from typing import Any

from recon_api.resource import ReconstructionJob
from recon_operator.jobs.parsing import Shown
from tests.operator.builders import make_job


def as_shown(job: ReconstructionJob) -> Shown:
    """Return a job as the API server shows it."""
    return Shown(job)


def shown(**fields: Any) -> Shown:
    """Return a job of `make_job` as the API server shows it."""
    return as_shown(make_job(**fields))
