"""What a worker warns of, as the status shows it."""

from collections.abc import Iterable

from recon_api.payload import JobWarning
from recon_api.status import MAX_WARNING_LENGTH, MAX_WARNINGS


def sentences(warnings: Iterable[JobWarning]) -> tuple[str, ...]:
    """Return the messages, as many and as long as a status keeps them: a worker of another version may send more."""
    return tuple(warning.message[:MAX_WARNING_LENGTH] for warning in warnings)[:MAX_WARNINGS]
