"""What must hold once all faults are over and nothing happens any more."""

from collections.abc import Iterator

from redis import Redis

from recon_api.errors import JobCancelled
from recon_api.keys import attempt_key, cancel_key, cancel_request_key, lease_key
from recon_api.payload import ClaimOwner
from recon_api.status import Phase
from recon_worker.attempt.claim import AlreadyClaimed, claim
from tests.support.races.store import Json
from tests.support.races.story import Story

IGNORED_ATTEMPTS = 10


def demanded(story: Story, job: Json | None) -> str:
    """Return the end that the facts about a job demand."""
    spec = job["spec"] if job else {}
    if story.deleted:
        return "gone"
    if story.end.told if story.end else story.told:
        return Phase.SUCCEEDED
    if spec.get("cancellation") == "Confirmed" and not (story.end and not story.end.confirmed):
        return Phase.CANCELLED
    if story.end is None and spec.get("suspend", False):
        return Phase.SUSPENDED
    failed = story.end is not None and story.end.phase is Phase.FAILED
    return Phase.FAILED if story.fate.kind == "bad photos" or (failed and may_fail(story)) else Phase.SUCCEEDED


def may_fail(story: Story) -> bool:
    """Say whether the facts allow the job to fail."""
    bad_photos = story.fate.kind == "bad photos" and bool(story.processes)
    failed = story.fate.struck + story.crashes
    return bad_photos or failed > story.backoff_limit or story.attempts > IGNORED_ATTEMPTS


def found(story: Story, job: Json | None) -> str:
    """Return where a job has ended up."""
    return "gone" if story.gone or job is None else str(job.get("status", {}).get("phase", ""))


def faults_at_the_end(story: Story, job: Json | None, redis: Redis) -> Iterator[str]:
    """Yield what is wrong with a job about which nothing happens any more."""
    if (is_at := found(story, job)) != (should_be := demanded(story, job)):
        yield f"the job is {is_at}, and the facts demand {should_be}"
    if story.forced:
        return
    yield from _left_in_redis(story, redis, suspended=is_at == Phase.SUSPENDED)
    yield from _runnable(story, redis)


def _left_in_redis(story: Story, redis: Redis, *, suspended: bool) -> Iterator[str]:
    numbers = range(1, story.attempts + 1)
    names = [lease_key(story.uid, number) for number in numbers]
    if not (
        story.gone and story.meddled
    ):  # by its status an attempt may have run of one that went unnoticed: the flag lapses
        names.append(cancel_key(story.uid))
    if not suspended:
        names.append(attempt_key(story.uid))
    if (
        not suspended and story.attempts
    ):  # a job that was never sent goes before anybody can clear its flag, which lapses
        names.append(cancel_request_key(story.uid))
    values = redis.mget(names)
    for name, value in zip(names, values, strict=True):
        if value is not None:
            yield f"{name} is left in Redis: {value!r}"


def _runnable(story: Story, redis: Redis) -> Iterator[str]:
    """Try the message of every attempt again."""
    for number in range(1, story.attempts + 1):
        owner = ClaimOwner(worker="late", boot_id="late", nonce="late")
        try:
            claim(redis, story.uid, number, owner)
        except (AlreadyClaimed, JobCancelled):
            continue
        yield f"the message of attempt {number} can still run"
