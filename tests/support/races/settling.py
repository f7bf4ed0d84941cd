"""Bringing a world to rest: all faults end, and everybody does what there is to do until nothing is left."""

from recon_api.resource import FINISHED_LABEL
from recon_api.status import Phase
from tests.support.races.ends import faults_at_the_end
from tests.support.races.story import Story
from tests.support.races.workers import Worker
from tests.support.races.world import World

MOST_ROUNDS = 400
"""A world that does not rest by then never will; the longest way to rest took 60."""

MOST_CALLS = 1000
"""An operator that still has something to do by then, and no time has passed, will always have."""

LAPSE_S = 30.0
"""Longer than a lease lives."""


def settle(world: World) -> None:
    """Bring the world to rest, then say what is wrong with how it rests. Raises Wrong."""
    world.note("--- all faults end")
    _heal(world)
    for _ in range(MOST_ROUNDS):
        work_off(world)
        if all(_rests(world, story) for story in world.stories.values()) and _is_idle(world):
            break
        _try_again(world)
        world.pass_time(world.until_next_turn_s)
        world.look()
    else:
        world.wrongs.append("the world does not come to rest")
    _await_lapses(world)
    for story in world.stories.values():
        world.wrongs += faults_at_the_end(story, world.job(story), world.servers.state)
        if world.disk.has_work(story.uid) and _is_over(world, story) and not _may_leave_work(world, story):
            world.wrongs.append("finished steps of a job that is over are left on the disk")
    world.look()


def _try_again(world: World) -> None:
    """Have those go on once that wait for something."""
    for worker in world.workers:
        if worker.acts and worker.process is not None and worker.process.is_waiting:
            world.work(worker)


def _await_lapses(world: World) -> None:
    """Let the leases of the dead lapse, where there are any."""
    if world.servers.state.keys("lease:*"):
        world.pass_time(LAPSE_S)


def work_off(world: World) -> None:
    """Do all that can be done without time passing."""
    while world.is_busy:
        operate(world)
        for worker in world.workers:
            while work_once(world, worker):
                world.look()


def operate(world: World) -> None:
    """Let the operator hear of everything and do what is due."""
    for _ in range(MOST_CALLS):
        if not operate_once(world):
            return
        world.look()
    world.wrongs.append("the operator goes round and round")
    world.look()


def operate_once(world: World) -> bool:
    """Let the operator hear of one thing or make one call; return whether there was anything to do."""
    if world.events:
        world.hear_event()
    elif world.notices:
        world.hear_notice()
    elif world.operator.stands_at:
        world.operate()
    elif world.operator.is_due:
        world.turn()
    elif world.operator.owes_stops:
        world.stop_late()
    else:
        return False
    return True


def work_once(world: World, worker: Worker) -> bool:
    """Let a worker take a message or go on by one step; return whether there was anything to do."""
    if worker.is_busy:
        world.work(worker)
    elif worker.is_free and world.broker.waiting:
        world.deliver(worker, world.broker.waiting[0])
    else:
        return False
    return True


def _heal(world: World) -> None:
    world.operator.redis.down = False
    for worker in world.workers:
        worker.cut_off = worker.frozen = False
        if not worker.alive or worker.leaving:
            if worker.process is not None:
                world.kill_worker(worker)
            world.start_worker(worker)
        worker.beat()
    for story in world.stories.values():
        story.fate.lifted = True
    while world.operator.stands_at:
        world.operate()
    world.operator.relist()


def _rests(world: World, story: Story) -> bool:
    """Say whether nothing more is to come of a job."""
    return _is_over(world, story) or _is_held(world, story)


def _is_over(world: World, story: Story) -> bool:
    job = world.job(story)
    return job is None or FINISHED_LABEL in job["metadata"].get("labels", {})


def _is_held(world: World, story: Story) -> bool:
    job = world.job(story)
    if job is None or "deletionTimestamp" in job["metadata"] or job["spec"].get("cancellation") == "Confirmed":
        return False
    return bool(job["spec"].get("suspend", False)) and job["status"].get("phase") == Phase.SUSPENDED


def _is_idle(world: World) -> bool:
    no_message = not world.broker.waiting
    return no_message and not any(worker.process or worker.crash_report for worker in world.workers)


def _may_leave_work(world: World, story: Story) -> bool:
    """Say whether nobody is to blame for what is left on the disk: the message that asks for its removal was lost."""
    return world.broker.lost_discards > 0 or story.forced
