"""Where the progress of a test's work goes."""

from recon_api.payload import JobWarning
from recon_worker.progress import Figure, SilentSink


class Figures(SilentSink):
    """Remembers the figures that were shown last, and all warnings."""

    def __init__(self) -> None:
        """Remember none yet."""
        self.shown: dict[str, Figure] = {}
        self.warnings: list[JobWarning] = []

    def show_metric(self, name: str, value: Figure) -> None:
        """Remember it."""
        self.shown[name] = value

    def show_warning(self, warning: JobWarning) -> None:
        """Remember it."""
        self.warnings.append(warning)
