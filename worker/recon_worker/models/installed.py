"""Finding the installed models, and keeping those in use warm."""

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
    """The models of one process: each is imported and loaded when it is first used, and stays."""

    def __init__(self, weights_dir: Path | None, device: str, *, without: frozenset[str] = frozenset()) -> None:
        """Load onto `device` (cpu, cuda) from `weights_dir`; the models named in `without` can't be used."""
        self._weights_dir, self._device = weights_dir, device
        self._installed = {name: point for name, point in installed_models().items() if name not in without}
        self._loaded: dict[str, Model] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the models that can be used."""
        return tuple(self._installed)

    def model(self, name: str) -> Model:
        """Return the model, loaded. Raises `UsageError`: UNKNOWN_MODEL naming those there are, or WEIGHTS_NOT_FOUND."""
        if name not in self._installed:
            raise UsageError(
                reasons.UNKNOWN_MODEL, f"no model {name!r} is installed; this worker has {', '.join(self.names)}"
            )
        if name not in self._loaded:
            model: Model = self._installed[name].load()()
            model.load(self._weights_dir, self._device)
            self._loaded[name] = model
        return self._loaded[name]
