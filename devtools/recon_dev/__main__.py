"""Command line of the embedded quickstart: `recon-dev up`, `demo`, `status`, `logs`, `down`."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from recon_dev.by_hand import PARTS, exports
from recon_dev.cluster import OPTIONAL_PARTS, Options
from recon_dev.console import complain, say
from recon_dev.errors import DevError
from recon_dev.lifecycle import UP_LINE, Stopped, describe, down, supervise, up_in_background, up_in_foreground
from recon_dev.show import show_logs, show_status
from recon_dev.state import DEFAULT_STATE_DIR, StateDir
from recon_dev.status import SupervisorLock

EXIT_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return the exit status: 0 fine, 1 expected trouble (said in a line or two), 130 interrupted."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except DevError as error:
        complain(str(error))
        return 1
    except (KeyboardInterrupt, Stopped):
        return EXIT_INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="recon-dev",
        description="A local cluster for reconstruction-operator: a Kubernetes control plane, Redis, the operator and "
        "workers as processes of this machine. Needs no containers and no root.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_demo(commands)
    _add_up(commands)
    for name, run, text in (
        ("down", _down, "stop the cluster; its jobs, photos and results are kept"),
        ("status", _status, "say what runs and where it is; exit 0 only if all is ready"),
    ):
        command = commands.add_parser(name, help=text, description=_sentence(text))
        command.set_defaults(run=run)
        _add_state_dir(command)
    logs = commands.add_parser("logs", help="print the end of the logs", description="Print the end of the logs.")
    logs.add_argument("component", nargs="?", help="only this component's, whole (see `recon-dev status`)")
    logs.set_defaults(run=_logs)
    _add_state_dir(logs)
    text = "print what to set in a shell to run a part by hand that `up --without` left out"
    env = commands.add_parser("env", help=text, description=_sentence(text), epilog='eval "$(recon-dev env operator)"')
    env.add_argument("part", choices=PARTS)
    env.set_defaults(run=_env)
    _add_state_dir(env)
    return parser


def _add_demo(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    text = "reconstruct an object before your eyes: start the cluster, run a job, show its result, stop"
    demo = commands.add_parser("demo", help=text, description=_sentence(text))
    demo.add_argument(
        "--photos",
        type=Path,
        metavar="DIR",
        help="your own photos (default: rendered ones of an object of known shape)",
    )
    demo.add_argument("--keep", action="store_true", help="leave the cluster running")
    demo.set_defaults(run=_demo)
    _add_state_dir(demo)


def _add_up(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    text = "start the cluster and keep it running"
    up = commands.add_parser("up", help=text, description=_sentence(text), epilog="What dies is started again.")
    up.add_argument("--detach", action="store_true", help="return once all is ready, leaving the cluster running")
    up.set_defaults(run=_up)
    supervise_command = commands.add_parser("supervise")  # what `up --detach` leaves running; not shown in the help
    supervise_command.add_argument("--report-fd", type=int, required=True)
    supervise_command.set_defaults(run=_supervise)
    for command in (up, supervise_command):
        command.add_argument("--workers", type=_count, default=1, metavar="N", help="how many workers (default: 1)")
        command.add_argument(
            "--without",
            action="append",
            choices=OPTIONAL_PARTS,
            default=[],
            help="leave a part out, to run it by hand; can be given more than once",
        )
        command.add_argument("--fast", action="store_true", help="do not wait for the disk; for tests")
        command.add_argument("--audit", action="store_true", help="note each request of the operator; for tests")
        command.add_argument("--parent-pid", type=int, metavar="PID", help="stop when this process is gone; for tests")
        _add_state_dir(command)


def _add_state_dir(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--state-dir",
        type=Path,
        default=DEFAULT_STATE_DIR,
        metavar="DIR",
        help="folder of the cluster's state, photos, results and logs (default: .dev in the checkout)",
    )


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"not a number of workers: {text!r}")
    return int(text)


def _options(arguments: argparse.Namespace) -> Options:
    return Options(
        workers=arguments.workers,
        without=frozenset(arguments.without),
        parent_pid=arguments.parent_pid,
        durable=not arguments.fast,
        audit=arguments.audit,
    )


def _demo(arguments: argparse.Namespace) -> int:
    from recon_dev.demo import run_demo  # it draws pictures, whose libraries take a second to load

    completed = run_demo(StateDir(arguments.state_dir), arguments.photos, keep=arguments.keep)
    return 0 if completed else 1


def _up(arguments: argparse.Namespace) -> int:
    state = StateDir(arguments.state_dir)
    if SupervisorLock(state).held():
        say(f"The cluster is already up (.venv/bin/recon-dev status shows it).\n{describe(state)}")
        return 0
    if not arguments.detach:
        up_in_foreground(state, _options(arguments))
        return 0
    up_in_background(state, _options(arguments))
    say(f"\nThe cluster is up; .venv/bin/recon-dev down stops it.\n{describe(state)}")
    return 0


def _supervise(arguments: argparse.Namespace) -> int:
    """Report lines to the file descriptor until all is up, then only to the log."""
    with os.fdopen(arguments.report_fd, "w", buffering=1) as listener:

        def report(line: str) -> None:
            if not listener.closed:
                listener.write(line + "\n")

        def when_up() -> None:
            report(UP_LINE)
            listener.close()

        try:
            supervise(StateDir(arguments.state_dir), _options(arguments), report, when_up=when_up)
        except DevError as error:
            report(str(error))
            return 1
    return 0


def _down(arguments: argparse.Namespace) -> int:
    say("The cluster is stopped." if down(StateDir(arguments.state_dir)) else "Nothing was running.")
    return 0


def _status(arguments: argparse.Namespace) -> int:
    return 0 if show_status(StateDir(arguments.state_dir)) else 1


def _env(arguments: argparse.Namespace) -> int:
    say(exports(StateDir(arguments.state_dir), arguments.part))
    return 0


def _logs(arguments: argparse.Namespace) -> int:
    show_logs(StateDir(arguments.state_dir), arguments.component)
    return 0


if __name__ == "__main__":
    sys.exit(main())
