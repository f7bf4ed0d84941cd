"""A reconstruction's progress on a terminal: a bar, or plain lines where nobody watches."""

import json
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from recon_api.payload import JobWarning
from recon_api.steps import Step
from recon_worker.cli.local import LocalResult
from recon_worker.files.manifest import REPORT
from recon_worker.progress import Figure


class TerminalSink:
    """Shows the progress on stderr. Ctrl-C is the order to stop."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description:24}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[figures]}"),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("", total=100.0, figures="")
        self._step: Step | None = None
        self._figures: dict[str, Figure] = {}

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._bar.stop()

    def show(self, step: Step, percentage: float) -> None:
        """Move the bar; begin a line for a new step where there is no terminal."""
        if step is not self._step and not self._console.is_terminal:
            self._console.print(f"{percentage:3.0f}% {step}", highlight=False)
        self._step = step
        self._bar.update(self._task, completed=percentage, description=str(step))

    def show_metric(self, name: str, value: Figure) -> None:
        """Show the figure beside the bar."""
        self._figures[name] = value
        self._bar.update(self._task, figures="  ".join(f"{v} {k}" for k, v in self._figures.items()))
        if not self._console.is_terminal:
            self._console.print(f"     {name}: {value}", highlight=False)

    def show_warning(self, warning: JobWarning) -> None:
        """Begin a line for it."""
        self._console.print(f"warning: {warning.message}", highlight=False, markup=False, soft_wrap=True)

    def raise_if_stopped(self) -> None:
        """Ctrl-C arrives by itself, as an exception."""


def summary(result: LocalResult) -> str:
    """Return the files that were made and what each stage took, for people."""
    report = json.loads((result.folder / REPORT).read_text())
    lines = [f"{'stage':20} {'seconds':>9} {'CPU s':>9}  figures"]
    for stage in report["stages"]:
        shown = {key: value for key, value in stage.items() if key != "step"}
        figures = {key: value for key, value in shown.items() if isinstance(value, int | float | str)}
        name, seconds, cpu = figures.pop("name"), figures.pop("seconds", 0.0), figures.pop("cpu_seconds", 0.0)
        lines.append(f"{name:20} {seconds:9.2f} {cpu:9.2f}  {', '.join(f'{k} {v}' for k, v in figures.items())}")
    lines.append(f"{'all':20} {report['seconds']:9.2f} {report['cpuSeconds']:9.2f}")
    lines.append("")
    lines += [f"not used: {name} {why}" for name, why in _left_out(report)]
    lines += [f"{file.bytes:12,}  {result.folder / file.name}" for file in result.manifest.files]
    return "\n".join(lines)


def _left_out(report: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the files of the input that were not used, each with the reason."""
    for stage in report["stages"]:
        yield from stage.get("unused_files", {}).items()
