"""The page itself: the table, what happens when two things meet, and a diagram of the usual ways."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from recon_api.status import ConditionType, Phase
from recon_dev.generate.markdown import page, table
from recon_dev.generate.phases import scenarios
from recon_dev.generate.phases.rows import ENDINGS, ORDERS, ROWS, Row
from recon_dev.generate.phases.situations import ENDS, RUN, SITUATIONS, Scenario, Situation
from recon_dev.generate.phases.world import Course, World, settle
from recon_operator.decide.decision import (
    AssertStop,
    AuthoriseAttempt,
    DiscardFiles,
    Effect,
    HoldAttempts,
    KillAttempt,
    SendAttempt,
    StopLater,
)

WORDS: dict[type[Effect], tuple[str, str]] = {
    SendAttempt: ("send", "the attempt's message goes to the workers, and no other attempt of the job may run"),
    AuthoriseAttempt: ("authorise", "the workers are told again which attempt may run"),
    HoldAttempts: ("hold", "the attempt is told to stop and to keep its finished steps, until it has"),
    AssertStop: ("stop", "the attempt is told to stop, until it has"),
    StopLater: ("stop later", "the attempt is told to stop, and its files go, as soon as Redis answers"),
    KillAttempt: ("kill", "the process that runs the attempt is killed"),
    DiscardFiles: ("discard", "a worker deletes the steps and drafts that the job has left"),
}
"""What the operator does, as a cell says it. Flags of a request and keys of a job that has ended are left out."""

NOTED, IMPOSSIBLE, GONE = "✓", "–", "gone"

INTRODUCTION = """\
What becomes of a job, by the phase that it is in and by what happens. The operator's own policies have filled in these
tables: they were run for each cell until nothing changed any more."""

CELLS = f"""\
An empty cell: nothing changes. {NOTED}: the phase stays, the status tells. {IMPOSSIBLE}: that cannot happen there.
{GONE}: the object no longer exists. In brackets, what the operator does:"""

DIAGRAM = """\
The usual ways, without deletion, deadlines and mistakes. `Pending` is a job that the operator has not seen; `Succeeded`,
`Failed` and `Cancelled` are never left."""

MEETING = """\
While a job runs whose cancellation is requested, two of these may come so close together that the operator sees both at
once. Then this is how the job ends, or goes on; the order does not matter. Why each of them wins:
[Who wins](../explanation/who-wins.md)."""


def render() -> str:
    """Return the page."""
    return page(
        "Phases",
        INTRODUCTION,
        f"{DIAGRAM}\n\n{_diagram()}",
        f"## What happens in each phase\n\n{_legend()}\n\n{_phases()}",
        f"## When two things meet\n\n{MEETING}\n\n{_meetings()}",
    )


def _phases() -> str:
    ends = ", ".join(end.title for end in ENDS)
    header = ("", *(situation.title for situation in SITUATIONS), ends)
    return table(header, ([row.title, *_cells(row)] for row in ROWS))


def _cells(row: Row) -> Iterator[str]:
    for situation in SITUATIONS:
        yield _cell(row, situation)
    (shared,) = {_cell(row, end) for end in ENDS} - {IMPOSSIBLE} or {IMPOSSIBLE}
    yield shared


def _cell(row: Row, situation: Situation) -> str:
    """Say what happens: where the job comes to, and what is done; or that nothing changes."""
    courses = _courses(row, situation)
    if courses is None:
        return IMPOSSIBLE
    without, course = courses
    words = [word for kind, (word, _) in WORDS.items() if kind in course.effects - without.effects]
    ways = [*(phase.value for phase in course.phases[1:]), *([GONE] if course.world.gone else [])]
    if not ways and not words:
        return NOTED if course.writes > without.writes else ""
    return " → ".join(ways or [NOTED]) + (f" ({', '.join(words)})" if words else "")


@cache
def _courses(row: Row, situation: Situation) -> tuple[Course, Course] | None:
    """Return what the job goes through if nothing happens, and if this does; nothing where it cannot happen."""
    world = situation.reach(dict(row.spec))
    after = world and row.scenario(world)
    if world is None or after is None:
        return None
    without = settle(world) if situation.seen else Course(world, (world.phase,), frozenset(), 0)
    course = settle(after)
    came_to = () if course.world.phase is world.phase else course.phases[1:]
    return without, replace(course, phases=(world.phase, *came_to))


def _legend() -> str:
    done = "\n".join(f"- **{word}**: {meaning}" for word, meaning in WORDS.values())
    return f"{CELLS}\n\n{done}"


def _diagram() -> str:
    """Return the usual ways as a state diagram: an arrow from phase to phase, with all that leads along it."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for row in ROWS:
        for situation in SITUATIONS:
            courses = _courses(row, situation) if row.arrow and situation.draws(row.scenario) else None
            phases = courses[1].phases[:2] if courses else ()
            if len(phases) > 1:
                names = arrows.setdefault((phases[0], phases[1]), [])
                names.extend([row.arrow] if row.arrow not in names else [])
    lines = [f"    {a} --> {b}: {', '.join(names)}" for (a, b), names in arrows.items()]
    ends = [f"    {end.phase.value} --> [*]" for end in ENDS]
    return "\n".join(["```mermaid", "stateDiagram-v2", "    [*] --> Pending", *lines, *ends, "```"])


def _meetings() -> str:
    """Return a table of pairs, each once."""
    names = list(ORDERS)
    firsts = {**ENDINGS, **dict(list(ORDERS.items())[:-1])}
    return table(
        ("", *ORDERS),
        (
            (name, *("" if name in names[at:] else _meeting(first, ORDERS[other]) for at, other in enumerate(names)))
            for name, first in firsts.items()
        ),
    )


def _meeting(first: Scenario, second: Scenario) -> str:
    """Say how a job ends to which both happen at once; raise RuntimeError where that depends on the order."""
    ways = {_ending(one, other) for one, other in ((first, second), (second, first))} - {""}
    if len(ways) != 1:
        raise RuntimeError(f"the order matters: {first.__name__}, {second.__name__}: {ways}")
    return ways.pop()


def _ending(first: Scenario, second: Scenario) -> str:
    """Say how a job ends to which this happens and, before the operator looks, that; nothing where that can't be."""
    world = Situation("Requested", Phase.RUNNING, (*RUN, scenarios.requested)).reach(
        {"activeDeadlineSeconds": scenarios.DEADLINE_S}
    )
    one = world and first(world)
    both = one and second(one)
    if both is None:
        return ""
    settled = settle(both).world
    stopped = scenarios.stopped(settled)
    settled = settle(stopped).world if stopped else settled
    return GONE if settled.gone else _with_reason(settled)


def _with_reason(world: World) -> str:
    failed = world.job.status.condition(ConditionType.FAILED)
    return f"{world.phase} ({failed.reason})" if failed else world.phase.value
