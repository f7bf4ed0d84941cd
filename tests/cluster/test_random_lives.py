"""Whatever happens to a few jobs in whatever order, once all faults are over each ends as the facts demand.

Hypothesis tells the story: it draws what people, the operator, workers, messages, Redis and time do, and shortens a
story that ends badly.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.support.control_plane import ControlPlane
from tests.support.races.api_server import ApiServerStore, connected, make_namespace
from tests.support.races.fates import STEPS, Fate
from tests.support.races.gates import Verdict
from tests.support.races.moves import FIRST_READS, MEDDLING
from tests.support.races.servers import servers
from tests.support.races.settling import operate_once, settle, work_off, work_once
from tests.support.races.story import Story
from tests.support.races.world import World

MOST_JOBS = 3
STEPS_OF_A_LIFE = 40

counts = st.integers(1, 12)
places = st.integers(0, 20)
fates = st.builds(
    Fate,
    st.sampled_from(["complete", "complete", "out of memory", "bad photos", "hangs"]),
    st.sampled_from(STEPS),
    st.integers(1, 4),
)


class Lives(RuleBasedStateMachine):
    """A few jobs, an operator and two workers."""

    jobs: Bundle[Story] = Bundle("jobs")

    new_world: Callable[[], World]

    @initialize(target=jobs, fate=fates)
    def begin(self, fate: Fate) -> Story:
        self.world = type(self).new_world()
        return self.world.submit(fate)

    def teardown(self) -> None:
        """Let all faults end, and look how everything ends."""
        if not hasattr(self, "world"):
            return
        try:
            if not self.world.wrongs:
                settle(self.world)
        finally:
            self.world.close()

    @invariant()
    def nothing_is_wrong(self) -> None:
        self.world.look()

    # --- people ------------------------------------------------------------------------------------------------------

    @precondition(lambda self: len(self.world.stories) < MOST_JOBS)
    @rule(target=jobs, fate=fates, suspend=st.booleans(), backoff_limit=st.integers(0, 2))
    def submit(self, fate: Fate, *, suspend: bool, backoff_limit: int) -> Story:
        return self.world.submit(fate, suspend=suspend, backoffLimit=backoff_limit)

    @rule(job=jobs, cancellation=st.sampled_from(["Requested", "Confirmed", None]))
    def cancel(self, job: Story, cancellation: str | None) -> None:
        self.world.change(job, cancellation=cancellation)

    @rule(job=jobs)
    def suspend_or_resume(self, job: Story) -> None:
        found = self.world.job(job)
        self.world.change(job, suspend=not (found or {"spec": {}})["spec"].get("suspend", False))

    @rule(job=jobs)
    def delete(self, job: Story) -> None:
        self.world.delete(job)

    @rule(job=jobs, status=st.sampled_from(MEDDLING))
    def meddle(self, job: Story, status: dict[str, object]) -> None:
        self.world.meddle(job, **status)

    # --- as planned --------------------------------------------------------------------------------------------------

    @rule(count=counts)
    def operator_goes_on(self, count: int) -> None:
        for _ in range(count):
            operate_once(self.world)

    @rule(place=st.integers(0, 1), count=counts)
    def worker_goes_on(self, place: int, count: int) -> None:
        for _ in range(count):
            work_once(self.world, self.world.workers[place])

    @rule()
    def everybody_goes_on(self) -> None:
        work_off(self.world)

    @rule(seconds=st.sampled_from([0.2, 1.0, 5.0, 10.0, 30.0, 60.0]))
    def time_passes(self, seconds: float) -> None:
        self.world.pass_time(seconds)

    @rule(place=st.integers(0, 1))
    def lease_beats(self, place: int) -> None:
        self.world.begin_beat(self.world.workers[place])

    # --- the operator's faults ---------------------------------------------------------------------------------------

    @precondition(lambda self: self.world.operator.stands_at)
    @rule(place=places, verdict=st.sampled_from(Verdict))
    def call_is_answered(self, place: int, verdict: Verdict) -> None:
        self.world.operate(place % len(self.world.operator.stands_at), verdict)

    @precondition(lambda self: "redis read" in self.world.operator.stands_at)
    @rule(after=st.integers(1, FIRST_READS))
    def read_is_torn(self, after: int) -> None:
        self.world.operate(self.world.operator.stands_at.index("redis read"), tear_at=after)

    @precondition(lambda self: self.world.events)
    @rule(place=places, fate=st.sampled_from(["late", "lost", "doubled"]))
    def event_goes_astray(self, place: int, fate: str) -> None:
        happens = {"late": self.world.hear_event, "lost": self.world.lose_event, "doubled": self.world.double_event}
        happens[fate](place % len(self.world.events))

    @precondition(lambda self: self.world.notices)
    @rule(place=places)
    def notice_is_lost(self, place: int) -> None:
        self.world.lose_notice(place % len(self.world.notices))

    @rule()
    def operator_is_replaced(self) -> None:
        self.world.replace_operator()

    @rule()
    def operator_lists_all(self) -> None:
        self.world.relist()

    @rule()
    def operator_loses_or_finds_redis(self) -> None:
        self.world.turn_operators_redis()

    # --- the workers' faults -----------------------------------------------------------------------------------------

    @rule(place=st.integers(0, 1))
    def child_dies(self, place: int) -> None:
        self.world.kill_child(self.world.workers[place])

    @rule(place=st.integers(0, 1))
    def worker_dies_or_starts(self, place: int) -> None:
        worker = self.world.workers[place]
        (self.world.kill_worker if worker.alive else self.world.start_worker)(worker)

    @rule(place=st.integers(0, 1))
    def worker_freezes_or_thaws(self, place: int) -> None:
        self.world.freeze(self.world.workers[place])

    @rule(place=st.integers(0, 1))
    def worker_loses_or_finds_redis(self, place: int) -> None:
        self.world.cut_off(self.world.workers[place])

    @rule(place=st.integers(0, 1))
    def worker_shuts_down(self, place: int) -> None:
        worker = self.world.workers[place]
        if worker.alive and not worker.leaving:
            self.world.leave(worker)

    # --- everything else ---------------------------------------------------------------------------------------------

    @precondition(lambda self: self.world.broker.waiting)
    @rule(place=places)
    def message_is_lost(self, place: int) -> None:
        waiting = self.world.broker.waiting
        self.world.lose_message(waiting[place % len(waiting)])

    @precondition(lambda self: self.world.broker.sent)
    @rule(place=places)
    def message_is_doubled(self, place: int) -> None:
        sent = self.world.broker.sent
        self.world.double_message(sent[place % len(sent)])

    @rule()
    def redis_loses_everything(self) -> None:
        self.world.flush()

    @rule(seconds=st.sampled_from([-3600.0, -5.0, 5.0, 3600.0]))
    def clock_is_set(self, seconds: float) -> None:
        self.world.jump(seconds)


def try_lives(new_world: Callable[[], World], examples: int) -> None:
    machine = type("LivesHere", (Lives,), {"new_world": staticmethod(new_world)})
    run_state_machine_as_test(
        machine, settings=settings(max_examples=examples, stateful_step_count=STEPS_OF_A_LIFE, derandomize=True)
    )


def test_any_life_ends_as_the_facts_demand() -> None:
    with servers() as redis:
        try_lives(lambda: World(redis, workers=2), examples=200)


def test_any_life_on_an_api_server_does(control_plane: ControlPlane) -> None:
    with servers() as redis, connected(control_plane, redis.loop) as api:

        def new_world() -> World:
            store = ApiServerStore(api, redis.loop.run_until_complete(make_namespace(api)))
            return World(redis, workers=2, store=lambda _: store, start=datetime.now(UTC))

        try_lives(new_world, examples=10)
