"""How long the steps of finished jobs took, by model and quality: in memory, and in Redis for the next operator.

The finished jobs that still exist say it too, so Redis may lose it all. No pass waits for any of this: what is not
known yet is missing from an estimate, and what Redis does not take is written later.
"""

import asyncio
import logging
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress

from pydantic import ValidationError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from recon_api import keys
from recon_api.payload import FinishedRun
from recon_api.resource import ReconstructionJob
from recon_api.status import Phase
from recon_operator.estimates.step_estimates import StepEstimates, estimate_steps

log = logging.getLogger(__name__)

KEPT_RUNS = 200
"""Of each model and quality, the newest: enough for several numbers of photos and GPUs."""

MOST_HISTORIES = 500
"""Models and qualities that are remembered; a job may name any model, also one that nobody has."""

KEPT_ESTIMATES = 256
"""Estimates by one history that are kept, by number of photos and GPU."""

STALE_SHARE = 0.05
"""An estimate is made again once so many more runs are known, as a share: each takes some milliseconds."""

SETTLE_S = 1.0
"""Runs that end within this time are written together."""

CHECK_EVERY_S = 30.0
"""How often Redis is asked whether it still has what was written."""

UNREACHABLE = (RedisError, OSError, TimeoutError)

Key = tuple[str, str]
"""Model and quality."""


class RunHistory:
    """The durations of finished jobs, by which others are estimated."""

    def __init__(self, redis: Redis, default_model: str, check_every_s: float = CHECK_EVERY_S) -> None:
        """Keep what is learned in this database too; jobs that name no model are given the default one."""
        self._redis, self._default_model, self._check_every_s = redis, default_model, check_every_s
        self._histories: dict[Key, ModelHistory] = {}
        self._changed = asyncio.Event()

    def learn(self, job: ReconstructionJob) -> None:
        """Record how long the steps of a finished job took; a job that is known already changes nothing."""
        run = finished_run(job)
        history = self._history(self._key(job)) if run else None
        if run and history and history.add(run):
            self._changed.set()

    def estimate(self, job: ReconstructionJob, photos: int | None, gpu: str) -> StepEstimates | None:
        """Return the estimate for a job of so many photos on a GPU, or nothing where no job like it has finished.

        Without a number of photos (None) it is taken to have as many as others; without a GPU ("") to run on any.
        """
        history = self._histories.get(self._key(job))
        return history.estimate(photos, gpu) if history else None

    async def load(self, jobs: Iterable[ReconstructionJob]) -> None:
        """Read what Redis knows of the models and qualities of these jobs, unless that was done before."""
        with suppress(*UNREACHABLE):
            await self._load({key for key in map(self._key, jobs) if not self._is_loaded(key)})

    async def run(self) -> None:
        """Keep Redis in step with what is known, until cancelled."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), self._check_every_s)
            self._changed.clear()
            try:
                for key, history in list(self._histories.items()):
                    await self._write(key, history)
            except UNREACHABLE as error:
                log.debug("durations are written later: %s", error)
            await asyncio.sleep(SETTLE_S)

    def _key(self, job: ReconstructionJob) -> Key:
        return job.status.model or job.spec.model or self._default_model, job.spec.parameters.quality.value

    def _is_loaded(self, key: Key) -> bool:
        return key in self._histories and self._histories[key].loaded

    def _history(self, key: Key) -> "ModelHistory | None":
        if key not in self._histories and len(self._histories) < MOST_HISTORIES:
            self._histories[key] = ModelHistory()
        return self._histories.get(key)

    async def _load(self, wanted: Collection[Key]) -> None:
        histories = {key: history for key in wanted if (history := self._history(key))}
        if not histories:
            return
        pipe = self._redis.pipeline(transaction=False)
        for key in histories:
            pipe.lrange(keys.durations_key(*key), 0, KEPT_RUNS - 1)
        for history, stored in zip(histories.values(), await pipe.execute(), strict=True):
            history.take_over(run for value in stored if (run := _parse(value)))

    async def _write(self, key: Key, history: "ModelHistory") -> None:
        """Add the newest runs to the list in Redis; write all of it where it is not what it should be by now."""
        if not history.loaded:
            await self._load({key})
        name, count = keys.durations_key(*key), len(history.runs)
        news, whole = history.take_news()
        try:
            if await self._add(name, news) != count or whole:
                history.take_news()
                await self._replace(name, history.runs)
        except UNREACHABLE:
            history.unwritten = True
            raise

    async def _add(self, name: str, news: Sequence[FinishedRun]) -> int:
        """Add runs, the newest last, to a list; return how long it is then."""
        pipe = self._redis.pipeline(transaction=True)
        if news:
            pipe.lpush(name, *(run.model_dump_json() for run in news))
            pipe.ltrim(name, 0, KEPT_RUNS - 1)
        pipe.llen(name)
        return int((await pipe.execute())[-1])

    async def _replace(self, name: str, runs: Sequence[FinishedRun]) -> None:
        pipe = self._redis.pipeline(transaction=True)
        pipe.delete(name)
        if runs:
            pipe.rpush(name, *(run.model_dump_json() for run in runs))
        await pipe.execute()


class ModelHistory:
    """The finished runs of one model at one quality."""

    def __init__(self) -> None:
        """Know none."""
        self.runs: list[FinishedRun] = []
        """The newest first."""
        self.loaded = False
        """Whether Redis was asked."""
        self.unwritten = False
        """Whether the list in Redis must be written as a whole."""
        self._news: list[FinishedRun] = []
        self._uids: set[str] = set()
        self._added = 0
        self._estimates: dict[tuple[int | None, str], tuple[int, StepEstimates | None]] = {}

    def add(self, run: FinishedRun) -> bool:
        """Take in a run; return whether it was news: not known yet, and not older than all that are kept."""
        place = self._place(run)
        if run.uid in self._uids or place >= KEPT_RUNS:
            return False
        self.runs.insert(place, run)
        self._uids.add(run.uid)
        for old in self.runs[KEPT_RUNS:]:
            self._uids.discard(old.uid)
        del self.runs[KEPT_RUNS:]
        self._added += 1
        if place == 0:
            self._news.append(run)
        else:
            self.unwritten = True
        return True

    def take_over(self, stored: Iterable[FinishedRun]) -> None:
        """Take in what Redis has, the newest first; what is known beyond that is written."""
        had = [run.uid for run in stored if self.add(run) or run.uid in self._uids]
        self.loaded, self._news = True, []
        self.unwritten = had != [run.uid for run in self.runs]

    def take_news(self) -> tuple[list[FinishedRun], bool]:
        """Return the newest runs, oldest first, and whether more than these must be written; both count as written."""
        news, whole = self._news, self.unwritten
        self._news, self.unwritten = [], False
        return news, whole

    def estimate(self, photos: int | None, gpu: str) -> StepEstimates | None:
        """Return what the runs say of a job of so many photos on a GPU."""
        known = self._estimates.get((photos, gpu))
        if known and self._added - known[0] <= STALE_SHARE * len(self.runs):
            return known[1]
        if len(self._estimates) >= KEPT_ESTIMATES:
            self._estimates.clear()
        found = estimate_steps(self.runs, photos, gpu)
        self._estimates[photos, gpu] = (self._added, found)
        return found

    def _place(self, run: FinishedRun) -> int:
        """Return how many of the kept runs ended later."""
        return next(
            (place for place, kept in enumerate(self.runs) if kept.finished_at <= run.finished_at), len(self.runs)
        )


def finished_run(job: ReconstructionJob) -> FinishedRun | None:
    """Return what is learned from a job: nothing, unless it is ours, has succeeded, and its steps were timed."""
    status = job.status
    if not job.is_ours or status.phase is not Phase.SUCCEEDED or not status.steps or status.completion_time is None:
        return None
    return FinishedRun(
        uid=job.uid,
        finished_at=status.completion_time,
        photos=photos_of(job),
        gpu=status.worker.gpu if status.worker else "",
        steps=status.steps,
    )


def photos_of(job: ReconstructionJob) -> int | None:
    """Return the number of photos that a job's status names, if it does."""
    return job.status.progress.photos if job.status.progress else None


def _parse(value: bytes) -> FinishedRun | None:
    try:
        return FinishedRun.model_validate_json(value)
    except ValidationError:
        log.warning("a finished run in Redis cannot be read and is ignored: %r", value[:200])
        return None
