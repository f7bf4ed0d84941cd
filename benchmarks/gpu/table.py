"""The reconstructions of a run side by side, for people."""

from collections.abc import Iterator, Mapping

from benchmarks.gpu.results import Timing

FIRST_WIDTH, LEAST_WIDTH = 22, 8


def side_by_side(timings: Mapping[str, Timing]) -> list[str]:
    """Return lines with a column for each reconstruction, by name: the seconds of its stages, the GPU's use, and how good it is."""
    if not timings:
        return []
    cells = {name: dict(_cells(timing)) for name, timing in timings.items()}
    rows = dict.fromkeys(row for column in cells.values() for row in column)
    table = [("", *timings), *((row, *(column.get(row, "") for column in cells.values())) for row in rows)]
    widths = (FIRST_WIDTH, *(max(len(name), LEAST_WIDTH) for name in timings))
    return [
        "  ".join([f"{line[0]:{widths[0]}}", *(f"{c:>{w}}" for c, w in zip(line[1:], widths[1:], strict=True))])
        for line in table
    ]


def _cells(timing: Timing) -> Iterator[tuple[str, str]]:
    """Yield each row's name with what a reconstruction has there."""
    for stage in timing.stages:
        yield f"{stage.name}, s", f"{stage.wall_s:.2f}"
    yield "whole process, s", f"{timing.cost.wall_s:.2f}"
    yield "CPU time, s", f"{timing.cost.cpu_s:.2f}"
    yield "largest process, GiB", f"{timing.cost.peak_memory_bytes / 2**30:.2f}"
    if timing.gpu and timing.gpu.busy_share is not None:
        yield "GPU busy, %", f"{100 * timing.gpu.busy_share:.1f}"
    if timing.gpu and timing.gpu.peak_memory_mib is not None:
        yield "GPU memory, MiB", f"{timing.gpu.peak_memory_mib:.0f}"
    if timing.evaluation:
        yield "photos placed", f"{timing.evaluation.poses.placed} of {timing.evaluation.poses.photos}"
        for score in timing.evaluation.surface.thresholds:
            yield f"F at {score.threshold_percent:g} %", f"{score.f_score:.1f}"
