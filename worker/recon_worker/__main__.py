"""`python -m recon_worker`: reconstruct photos here and now, list the models, or work for a cluster."""

import argparse
import json
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from recon_api.errors import JobCancelled, ReconstructionError, UsageError
from recon_worker.settings import WorkerSettings, worker_settings
from recon_worker.telemetry.logs import set_up_logging

EXIT_FAILURE, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    options = _parser().parse_args(arguments)
    settings = worker_settings()
    set_up_logging(
        "WARNING" if options.command == "reconstruct" else settings.log_level,
        settings.log_format,
        traced=bool(settings.otel_exporter_otlp_endpoint),
    )
    if options.command == "worker":
        from recon_worker.supervisor.main_process import run_worker

        return run_worker(settings)
    if options.command == "models":
        return _list_models()
    return _reconstruct(options, settings)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m recon_worker", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("worker", help="take jobs from Redis; configured by environment variables")
    commands.add_parser("models", help="list the installed models")
    one = commands.add_parser("reconstruct", help="turn a folder or archive of photos into a mesh, without a cluster")
    one.add_argument("photos", metavar="PHOTOS", help="a folder, zip or tar of photos")
    one.add_argument("out", metavar="OUT", type=Path, help="folder for the result; it is made")
    one.add_argument("--model", default="multiview", help="default: %(default)s")
    one.add_argument("--quality", choices=["draft", "standard", "high"], help="time against detail")
    one.add_argument("--param", metavar="KEY=VALUE", action="append", default=[], help="any parameter of the model")
    one.add_argument("--work", metavar="DIR", type=Path, help="folder for the finished steps; they are used again")
    one.add_argument("--keep-work", action="store_true", help="leave the finished steps beside OUT, in OUT.work")
    return parser


def _reconstruct(options: argparse.Namespace, settings: WorkerSettings) -> int:
    from recon_worker.cli.local import reconstruct_here
    from recon_worker.cli.terminal import TerminalSink, summary

    try:
        parameters = _parameters(options)
        with _work_folder(options) as work, _interruptible(), TerminalSink() as sink:
            result = reconstruct_here(options.photos, options.out, options.model, parameters, work, sink, settings)
    except (KeyboardInterrupt, JobCancelled):
        print("interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    except ReconstructionError as error:
        print(error, file=sys.stderr)
        return EXIT_USAGE if isinstance(error, UsageError) else EXIT_FAILURE
    print(summary(result))
    return 0


def _parameters(options: argparse.Namespace) -> Mapping[str, Any]:
    from recon_api import reasons

    parameters: dict[str, Any] = {"quality": options.quality} if options.quality else {}
    for pair in options.param:
        key, equals, value = pair.partition("=")
        if not equals:
            raise UsageError(reasons.PARAMETERS_REJECTED, f"--param takes KEY=VALUE, not {pair!r}")
        parameters[key] = _value(value)
    return parameters


def _value(text: str) -> Any:
    """Return the JSON value, or the text itself where it is none: 3, true, draft."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


@contextmanager
def _work_folder(options: argparse.Namespace) -> Iterator[Path]:
    if options.work or options.keep_work:
        yield options.work or options.out.with_name(options.out.name + ".work")
        return
    options.out.parent.mkdir(parents=True, exist_ok=True)
    # Beside the result, so that files are linked into it, not copied.
    with tempfile.TemporaryDirectory(prefix=f".{options.out.name}-", dir=options.out.parent) as folder:
        yield Path(folder)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let SIGTERM end the run as Ctrl-C does, so that nothing stays behind."""

    def interrupt(_: int, __: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _list_models() -> int:
    from recon_worker.models.installed import installed_models

    for name, point in installed_models().items():
        print(f"{name:20} {point.value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
