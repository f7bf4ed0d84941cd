"""The loop: take the jobs that are due, see what is, decide, act. One bad job never holds up another."""

import asyncio
import logging
import time

from recon_api.resource import ReconstructionJob
from recon_operator.act.actor import Actor, UnsentError
from recon_operator.act.send_order import SendOrder
from recon_operator.clients.celery_client import BrokerError
from recon_operator.clients.kubernetes_api import ConflictError, GoneError, KubernetesApi, KubernetesError
from recon_operator.clients.redis_state import StateUnavailableError
from recon_operator.clock import WallClock
from recon_operator.decide import decide
from recon_operator.decide.decision import Decision
from recon_operator.decide.observation import Observation
from recon_operator.decide.policy_settings import PolicySettings
from recon_operator.estimates.run_history import RunHistory
from recon_operator.jobs.backoffs import Backoffs
from recon_operator.jobs.cache import Jobs
from recon_operator.jobs.parsing import read_job
from recon_operator.jobs.work_queue import WorkQueue
from recon_operator.observe.observer import Observer, Reading
from recon_operator.scheduling.queue_planner import QueuePlanner
from recon_operator.telemetry.logs import job_logger
from recon_operator.telemetry.metrics import Metrics

log = logging.getLogger(__name__)

BATCH = 200
"""Jobs that are observed together."""

TICK_S = 5.0
"""The longest time between two looks at the workers and the queue's plan."""


class Reconciler:
    """Brings jobs a step closer to what their specs ask, many at once, each one at a time."""

    def __init__(
        self,
        *,
        jobs: Jobs,
        work: WorkQueue,
        observer: Observer,
        actor: Actor,
        api: KubernetesApi,
        metrics: Metrics,
        limits: PolicySettings,
        send_order: SendOrder,
        concurrency: int,
        history: RunHistory | None = None,
        clock: WallClock | None = None,
    ) -> None:
        """Run at most `concurrency` passes at once; `history` says how long jobs last, `clock` is the system's."""
        self._jobs, self._work, self._observer, self._actor = jobs, work, observer, actor
        self._api, self._metrics, self._limits, self._send_order = api, metrics, limits, send_order
        self._clock = clock or WallClock()
        self._backoffs = Backoffs(self._clock.steady)
        self._plan = QueuePlanner(
            jobs, history, now=self._clock.now, is_held=lambda job: self._backoffs.hold_s(job) > 0
        )
        self._slots = asyncio.Semaphore(concurrency)
        self._passes: set[asyncio.Task[None]] = set()
        self.last_turn = time.monotonic()

    async def run(self) -> None:
        """Reconcile until cancelled."""
        self.last_turn = time.monotonic()  # a standby may have waited for days
        while True:
            await self._turn(await self._work.take(BATCH, TICK_S))
            self._notice_clock_jump()
            self.last_turn = time.monotonic()

    async def drain(self) -> None:
        """Wait for the passes that are under way."""
        if self._passes:
            await asyncio.wait(self._passes)

    def _notice_clock_jump(self) -> None:
        """Have every job looked at again when the clock was set: what waits for a time of day waits too long or too short."""
        if jumped_s := self._clock.jump_s():
            log.warning("the clock has jumped by %+.1f s; all %d jobs are looked at again", jumped_s, len(self._jobs))
            for job in self._jobs:
                self._work.add(job.uid)

    async def _turn(self, uids: list[str]) -> None:
        """Observe a batch at once, plan the queue, and start each job's pass."""
        batch = self._free_to_pass(uids)
        try:
            seen = await self._observe(batch)
        except Exception as error:  # every job of the batch is tried again
            log.exception("observing %d jobs failed", len(batch))
            for job in batch:
                self._try_again(job, error)
                self._work.done(job.uid)
            return
        for job in sorted(batch, key=self._plan.send_rank):
            await self._slots.acquire()
            if seen[job.uid].admitted:
                self._plan.reserve(job)
                self._send_order.join(job.uid, job.spec.gpu_class)
            self._start_pass(job, seen[job.uid])

    def _free_to_pass(self, uids: list[str]) -> list[ReconstructionJob]:
        """Return the jobs of these UIDs whose back-off does not hold them; forget those that are gone."""
        free = []
        for uid in uids:
            job = self._jobs.get(uid)
            if job is None:
                self._forget_job(uid)
            elif hold_s := self._backoffs.hold_s(job):
                self._work.add_in(uid, hold_s)
                self._work.done(uid)
            else:
                free.append(job)
        return free

    async def _observe(self, batch: list[ReconstructionJob]) -> dict[str, Observation]:
        """Read Redis, plan the queue with the workers that are there, and return what is seen of each job."""
        reading = await self._observer.read(batch)
        self._metrics.record_workers(reading.workers)
        self._plan_queue(reading)
        return {
            job.uid: self._observer.observe(job, reading, self._plan.place(job), self._jobs.spec_problem(job.uid))
            for job in batch
        }

    def _plan_queue(self, reading: Reading) -> None:
        try:
            for uid in self._plan.update(reading.workers, known=reading.known):
                self._work.add(uid)
        except Exception as error:  # one job that cannot be planned with must not hold up those that run
            log.exception("the queue cannot be planned anew")
            self._metrics.reconcile_errors.labels(type(error).__name__).inc()

    def _start_pass(self, job: ReconstructionJob, seen: Observation) -> None:
        task = asyncio.create_task(self._pass(job, seen), name=f"pass {job.key}")
        self._passes.add(task)
        task.add_done_callback(self._passes.discard)

    async def _pass(self, job: ReconstructionJob, seen: Observation) -> None:
        try:
            with self._metrics.reconcile_s.time():
                await self._decide_and_act(job, seen)
        finally:
            self._slots.release()
            self._plan.release(job.uid)
            self._send_order.leave(job.uid)
            self._work.done(job.uid)

    async def _decide_and_act(self, job: ReconstructionJob, seen: Observation) -> None:
        uid = job.uid
        try:
            decision = decide(job, seen, self._clock.now(), self._limits)
            deferred_s = await self._actor.act(job, decision)
        except GoneError:
            self._jobs.remove(uid)
            self._forget_job(uid)
        except ConflictError:
            await self._refresh(job)
        except UnsentError as error:
            job_logger(__name__, job).warning("%s", error)
            self._work.add(uid)
        except (KubernetesError, StateUnavailableError, BrokerError) as error:
            self._try_again(job, error)
            job_logger(__name__, job).warning("the pass is tried again: %s", error)
        except Exception as error:  # noqa: BLE001 - a fault of ours must not end the operator
            self._try_again(job, error)
            job_logger(__name__, job).exception("the pass failed and is tried again")
        else:
            self._backoffs.forget(uid)
            self._schedule(job, decision, deferred_s)

    def _schedule(self, before: ReconstructionJob, decision: Decision, deferred_s: float) -> None:
        """Have the job looked at again when time alone may change the answer."""
        uid = before.uid
        job = self._jobs.get(uid)
        if job is None:
            self._forget_job(uid)
            return
        if before.occupies_worker and not job.occupies_worker:
            self._work.poke()  # a worker came free
        if decision.look_again_at:
            self._work.add_in(uid, (decision.look_again_at - self._clock.now()).total_seconds())
        if deferred_s:
            self._work.add_in(uid, deferred_s)

    async def _refresh(self, job: ReconstructionJob) -> None:
        """Read a job that somebody else has changed meanwhile, and look at it again."""
        try:
            body = await self._api.get_job(job.metadata.namespace, job.metadata.name)
            self._jobs.apply(read_job(body))
            self._work.add(job.uid)
        except GoneError:
            self._jobs.remove(job.uid)
            self._forget_job(job.uid)
        except Exception as error:  # noqa: BLE001 - the watch brings it as well
            self._try_again(job, error)

    def _try_again(self, job: ReconstructionJob, error: Exception) -> None:
        """Have a job looked at again after its back-off, which what wakes it ends early only where Redis was at fault."""
        self._metrics.reconcile_errors.labels(type(error).__name__).inc()
        retry_after_s = error.retry_after_s if isinstance(error, KubernetesError) else 0.0
        holds = not isinstance(error, StateUnavailableError | BrokerError)
        self._work.add_in(job.uid, self._backoffs.failed(job, retry_after_s=retry_after_s, holds=holds))

    def _forget_job(self, uid: str) -> None:
        """Forget a job that is gone or over; what may still run of it is stopped."""
        if vanished := self._jobs.take_vanished(uid):
            self._actor.stop_vanished(vanished)
        self._backoffs.forget(uid)
        self._observer.forget(uid)
        self._actor.forget(uid)
        self._work.forget(uid)
        self._work.done(uid)
        self._work.poke()
