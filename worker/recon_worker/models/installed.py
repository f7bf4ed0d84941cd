"""Finding the installed models, and keeping those in use warm."""

import threading
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from recon_api import reasons
from recon_api.errors import UsageError
from recon_worker.models.model import Model

GROUP = "reconstruction.models"


def installed_models() -> dict[str, EntryPoint]:
    """Return the entry points of all models, by name; none of them is imported."""
    return {point.name: point for point in sorted(entry_points(group=GROUP), key=lambda point: point.name)}


class Models:
    """The models of one process: each is imported when it is first named, loaded when it is first used, and stays."""

    def __init__(self, weights_dir: Path | None, device: str, *, without: frozenset[str] = frozenset()) -> None:
        """Load onto `device` (cpu, cuda) from `weights_dir`; the models named in `without` can't be used."""
        self._weights_dir, self._device = weights_dir, device
        self._installed = {name: point for name, point in installed_models().items() if name not in without}
        self._models: dict[str, Model] = {}
        self._loaded: set[str] = set()
        self._loading = threading.Lock()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the models that can be used."""
        return tuple(self._installed)

    def model(self, name: str) -> Model:
        """Return the model, which may not be loaded yet. Raises `UsageError(UNKNOWN_MODEL)` naming those there are."""
        if name not in self._installed:
            raise UsageError(
                reasons.UNKNOWN_MODEL, f"no model {name!r} is installed; this worker has {', '.join(self.names)}"
            )
        if name not in self._models:
            self._models[name] = self._installed[name].load()()
        return self._models[name]

    def load(self, model: Model) -> None:
        """Load the model, unless it is. Raises `UsageError(WEIGHTS_NOT_FOUND)`.

        The load of a job that was stopped meanwhile goes on; the next job waits for its end.
        """
        with self._loading:
            if model.name not in self._loaded:
                model.load(self._weights_dir, self._device)
                self._loaded.add(model.name)
