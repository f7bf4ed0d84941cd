"""Where a person reads: one console, with colours and live views only on a terminal."""

from rich.console import Console

console = Console(highlight=False, soft_wrap=True)
"""Standard output; rich leaves colours out where it is no terminal or NO_COLOR is set."""

error_console = Console(stderr=True, highlight=False, soft_wrap=True)
"""Standard error."""


def say(text: str) -> None:
    """Print a line of progress, as it is (no markup)."""
    console.print(text, markup=False)


def complain(text: str) -> None:
    """Print trouble in red, the first line in bold."""
    first, *rest = text.splitlines()
    error_console.print(f"recon-dev: {first}", style="bold red", markup=False)
    for line in rest:
        error_console.print(line, style="red", markup=False)
