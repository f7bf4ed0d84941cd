"""The numbers that decisions depend on."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PolicySettings:
    """All in seconds, but for the names and the count."""

    default_model: str = "multiview"
    """The model of a job that names none."""
    installation: str = ""
    """What this installation is called in the jobs that it manages; nothing is written where it is empty."""
    cancellation_expiry_s: float = 3600.0
    """How long a request for cancellation waits for its confirmation."""
    cancellation_grace_s: float = 10.0
    """How long an attempt may take to stop by itself before it is killed."""
    lost_after_s: float = 25.0
    """How long an attempt may be silent: a lease's lifetime and one beat more."""
    progress_interval_s: float = 5.0
    """The shortest time between two writes of one job's progress."""
    delete_force_s: float = 300.0
    """How long a deleted job waits for Redis to answer before it goes without being stopped."""
    ignored_attempts: int = 10
    """How many attempts may be lost by the cluster, or ignored by a rule, before the job fails."""
    watch_interval_s: float = 10.0
    """How often the lease of a running attempt is read; its end and its progress are pushed."""
    stop_interval_s: float = 1.0
    """How often the order to stop is repeated."""
    retry_redis_s: float = 5.0
    """How soon Redis is asked again when it did not answer, and an attempt that is silent is read again."""
