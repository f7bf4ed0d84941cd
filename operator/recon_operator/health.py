"""/healthz, /readyz and /metrics."""

import time

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from recon_operator.act.refused_writes import RefusedWrites
from recon_operator.leader.election import LeaderElection
from recon_operator.reconcile import Reconciler
from recon_operator.watch.liveness import WatchLiveness

STUCK_AFTER_S = 120.0
"""A loop that has not turned for so long hangs: its own waits are far shorter."""


class HealthServer:
    """Answers probes and scrapes from within the operator's event loop: a loop that hangs does not answer."""

    def __init__(
        self,
        reconciler: Reconciler,
        election: LeaderElection,
        registry: CollectorRegistry,
        watch: WatchLiveness,
        refused: RefusedWrites,
    ) -> None:
        """Report on this reconciler, these metrics, this watch and these refused writes; a standby is ready to take over."""
        self._reconciler, self._election, self._refused = reconciler, election, refused
        self._registry, self._watch = registry, watch
        self.ready = False
        """Whether all jobs are known and are being looked after."""
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int) -> int:
        """Serve; return the port."""
        application = web.Application()
        application.add_routes(
            [
                web.get("/healthz", self._healthz),
                web.get("/readyz", self._readyz),
                web.get("/metrics", self._metrics),
            ]
        )
        self._runner = web.AppRunner(application, handle_signals=False, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Stop serving."""
        if self._runner:
            await self._runner.cleanup()

    async def _healthz(self, _request: web.Request) -> web.Response:
        idle_s = time.monotonic() - self._reconciler.last_turn
        if self.ready and idle_s > STUCK_AFTER_S:
            return web.Response(status=500, text=f"the reconcile loop has not turned for {idle_s:.0f} s\n")
        if self.ready and self._watch.dead():
            return web.Response(status=500, text=f"the watch is silent for {self._watch.age_s():.0f} s\n")
        return web.Response(text="ok\n")

    async def _readyz(self, _request: web.Request) -> web.Response:
        if self._election.stands_by:
            return web.Response(text="standing by\n")
        if not self.ready:
            return web.Response(status=503, text="the jobs are not listed yet\n")
        if refused_s := self._refused.unready_for_s():
            return web.Response(status=503, text=f"the API server has refused every write for {refused_s:.0f} s\n")
        return web.Response(text="ok\n")

    async def _metrics(self, _request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
