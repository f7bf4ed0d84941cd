"""Programs that some tests need and that the locked dependencies do not bring: their names, and where they come from."""

import shutil
from dataclasses import dataclass


@dataclass(frozen=True)
class Requirement:
    """Programs that must be on PATH."""

    names: tuple[str, ...]
    source: str
    """How to install them."""

    @property
    def installed(self) -> bool:
        """Whether all of them are on PATH."""
        return all(map(shutil.which, self.names))

    @property
    def reason(self) -> str:
        """Why a test without them is skipped, and what to do about it."""
        return f"{' and '.join(self.names)} not found on PATH; to run them: {self.source}"


PROMETHEUS = Requirement(("prometheus", "promtool"), "install Debian's package prometheus")

ALL = (PROMETHEUS,)
"""Every requirement; the end of a run names each one that is missing."""


def left_out(skip_reasons: list[str]) -> list[str]:
    """Return one line for each missing requirement: how many tests were left out, and how to get them."""
    counts = {each: sum(each.reason in reason for reason in skip_reasons) for each in ALL}
    return [f"left out: {count} tests, {each.reason}" for each, count in counts.items() if count]
