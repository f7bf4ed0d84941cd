"""Where the progress of a test's work goes."""

from recon_worker.progress import Figure, SilentSink


class Figures(SilentSink):
    """Remembers the figures that were shown last."""

    def __init__(self) -> None:
        """Remember none yet."""
        self.shown: dict[str, Figure] = {}

    def show_metric(self, name: str, value: Figure) -> None:
        """Remember it."""
        self.shown[name] = value
