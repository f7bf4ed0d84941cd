"""One operator leads, the others stand by: a Lease says which one.

The clocks of two machines are never compared. A standby takes the lease once it has not seen it change for as long as
it lasts, by its own clock. The leader stops writing earlier, a renew deadline after it *sent* its last renewal that
succeeded, by its own clock: the fence, which each write asks.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

from recon_operator.clients.fence import Fence, steady_s
from recon_operator.clients.kubernetes_api import ConflictError, GoneError, KubernetesApi, KubernetesError
from recon_operator.leader.lease import Lease, LeaseSpec

log = logging.getLogger(__name__)

LOOKS_PER_RETRY = 4
"""A standby looks this often in a retry period: within one, the leader ends and what it released is taken."""

RELEASE_WITHIN_S = 2.0
"""How long the API server may take for a release; then the lease runs out by itself."""


class LeaseLostError(Exception):
    """Another operator may lead from now on: this one must end."""


@dataclass(frozen=True)
class LeaseTimes:
    """How long things take, in seconds; each is longer than the next."""

    duration_s: int = 15
    """After which a lease that is not renewed may be taken."""
    renew_deadline_s: float = 10.0
    """After which a leader that could not renew it writes nothing more, and ends."""
    retry_period_s: float = 2.0
    """Between two renewals."""


class LeaderElection(Protocol):
    """Whether this operator leads."""

    @property
    def leads(self) -> bool:
        """Whether it may write."""

    @property
    def stands_by(self) -> bool:
        """Whether it waits for another to go."""

    async def lead(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do the work once this operator leads, for as long as it does. Raises LeaseLostError."""

    async def release(self) -> None:
        """Let another one lead; nothing can be written after this."""


class SoleLeader:
    """The leader where only one operator runs."""

    leads = True
    stands_by = False

    async def lead(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do the work."""
        await work()

    async def release(self) -> None:
        """Do nothing: nobody waits."""


class LeaseElection:
    """A leader or a standby, by a Lease."""

    def __init__(
        self,
        api: KubernetesApi,
        fence: Fence,
        *,
        namespace: str,
        name: str,
        identity: str,
        times: LeaseTimes,
        by_force: bool = False,
    ) -> None:
        """Open and close `fence`; `identity` is that of this process alone.

        `by_force` takes the lease from whoever holds it, and waits until that one writes nothing any more.
        """
        self._api, self._fence, self._times, self._by_force = api, fence, times, by_force
        self._namespace, self._name, self.identity = namespace, name, identity
        self._seen: LeaseSpec | None = None
        """Who holds it, as it was seen last."""
        self._seen_at = 0.0
        """When that was seen for the first time, by the steady clock."""
        self._held: Lease | None = None
        """The lease as this process wrote it last."""
        self._robbed = ""
        """From whom it was taken by force."""
        self._logged = ""
        self._keeping: asyncio.Task[None] | None = None

    @property
    def leads(self) -> bool:
        """Whether it may write."""
        return self._fence.left_s() > 0

    @property
    def stands_by(self) -> bool:
        """Whether it waits for another to go."""
        return self._held is None

    async def lead(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Stand by until the lease is ours, then do the work while it is renewed. Raises LeaseLostError."""
        held = await self._acquire()
        self._keeping = asyncio.create_task(self._keep(held), name="renew the lease")
        working = asyncio.create_task(self._work(work), name="lead")
        try:
            await asyncio.wait({working, self._keeping}, return_when=asyncio.FIRST_COMPLETED)
            if self._keeping.done() and not self._keeping.cancelled():
                self._keeping.result()
            await working
        finally:
            for task in (working, self._keeping):
                task.cancel()
            await asyncio.wait({working, self._keeping})

    async def _work(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        if self._robbed:
            log.info("the lease is taken from %s, which has a moment to notice", self._robbed)
            await asyncio.sleep(self._times.renew_deadline_s)
        await work()

    async def release(self) -> None:
        """Let another one lead; nothing can be written after this."""
        if self._keeping:
            self._keeping.cancel()
            await asyncio.wait({self._keeping})
        held_for_s = self._fence.left_s()
        self._fence.close()
        if self._held is None or not held_for_s:
            return
        try:
            async with asyncio.timeout(RELEASE_WITHIN_S):
                await self._write_released(self._held)
        except (TimeoutError, KubernetesError) as error:
            log.warning("the lease is not released, and runs out by itself: %s", error or "no answer")

    async def _write_released(self, lease: Lease) -> None:
        try:
            await self._write(lease.released())
        except ConflictError:  # a renewal was cut short after it had been written
            lease = await self._read()
            if lease.spec.holder != self.identity:
                return
            await self._write(lease.released())
        log.info("the lease %s/%s is released", self._namespace, self._name)

    async def _acquire(self) -> Lease:
        while True:
            started = steady_s()
            try:
                taken = await self._take()
            except ConflictError:
                continue  # another was quicker, or it has just been renewed
            except KubernetesError as error:
                self._log_once(
                    f"the lease {self._namespace}/{self._name} cannot be read or taken: {error}", logging.WARNING
                )
            else:
                if taken:
                    self._hold(taken, started)
                    log.info(
                        "this operator leads: %s holds the lease %s/%s", self.identity, self._namespace, self._name
                    )
                    return taken
            await asyncio.sleep(self._times.retry_period_s / LOOKS_PER_RETRY)

    async def _take(self) -> Lease | None:
        """Take the lease where it may be taken. Raises KubernetesError, ConflictError where another was quicker."""
        lease = await self._read()
        if self._by_force:
            self._robbed = lease.spec.holder
        elif lease.spec.holder != self.identity and not self._may_be_taken():
            return None
        return await self._write(lease.held_by(self.identity, self._times.duration_s))

    async def _read(self) -> Lease:
        """Return the lease as it is, and record since when it has been so; a lease that is gone counts as unchanged."""
        try:
            lease = Lease.model_validate(await self._api.get_lease(self._namespace, self._name))
        except GoneError:
            return Lease.new(self._namespace, self._name)
        if lease.spec != self._seen:
            self._seen, self._seen_at = lease.spec, steady_s()
        return lease

    def _may_be_taken(self) -> bool:
        seen = self._seen
        if seen is None or not seen.holder:
            return True
        lasts_s = seen.lease_duration_seconds or self._times.duration_s
        if steady_s() - self._seen_at > lasts_s:
            log.warning("%s has not renewed the lease for %d s", seen.holder, lasts_s)
            return True
        self._log_once(f"this operator stands by: {seen.holder} leads", logging.INFO)
        return False

    async def _write(self, lease: Lease) -> Lease:
        """Write the lease on the version that it was read at. Raises KubernetesError."""
        body = lease.to_json()
        if lease.metadata.resource_version:
            return Lease.model_validate(await self._api.update_lease(self._namespace, self._name, body))
        return Lease.model_validate(await self._api.create_lease(self._namespace, body))

    def _hold(self, lease: Lease, asked_at: float) -> None:
        self._held = lease
        self._fence.open_until(asked_at + self._times.renew_deadline_s)

    async def _keep(self, held: Lease) -> None:
        """Renew the lease until cancelled. Raises LeaseLostError."""
        try:
            while True:
                await asyncio.sleep(min(self._times.retry_period_s, self._fence.left_s()))
                held = await self._renew(held)
        except LeaseLostError as error:
            self._fence.close()
            log.error("%s; this operator writes nothing more and ends", error)  # noqa: TRY400 - no fault of the code
            raise

    async def _renew(self, held: Lease) -> Lease:
        """Try to renew the lease once; return it as it is then. Raises LeaseLostError where it is or may be another's."""
        started, left_s = steady_s(), self._fence.left_s()
        if not left_s:
            raise LeaseLostError(f"the lease could not be renewed for {self._times.renew_deadline_s:g} s")
        try:
            async with asyncio.timeout(min(left_s, self._times.renew_deadline_s / 2)):  # time enough for another try
                held = await self._write_again(held)
        except (KubernetesError, TimeoutError) as error:
            log.warning("the lease was not renewed, which is tried again: %s", error or "no answer")
        else:
            self._hold(held, started)
        return held

    async def _write_again(self, held: Lease) -> Lease:
        try:
            return await self._write(held.held_by(self.identity, self._times.duration_s))
        except (ConflictError, GoneError):
            lease = await self._read()  # somebody put a label on it or deleted it, or an answer was lost
        if lease.metadata.resource_version and lease.spec.holder != self.identity:
            raise LeaseLostError(f"{lease.spec.holder or 'somebody else'} has taken the lease")
        return await self._write(lease.held_by(self.identity, self._times.duration_s))

    def _log_once(self, sentence: str, level: int) -> None:
        """Log a sentence, once in a row."""
        if sentence != self._logged:
            log.log(level, "%s", sentence)
        self._logged = sentence
