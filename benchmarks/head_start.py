"""The finished steps of one run, given to a job before it begins, so that it starts with the step it is cancelled in.

That is what a resumed job finds, and it spares each job the minutes before its moment.
"""

import os
import shutil
from pathlib import Path

from recon_api.steps import Step
from recon_worker.models.multiview import STAGES
from recon_worker.stages.load_photos import LOAD_PHOTOS


class HeadStart:
    """What a whole run of the same photos with the same parameters left in its work folder."""

    def __init__(self, work: Path) -> None:
        """Take the finished steps from a work folder of `python -m recon_worker reconstruct --keep-work`."""
        self._steps = work / "steps"

    def give(self, work: Path, step: Step) -> None:
        """Put all that comes before the step into a work folder, as hard links: a finished artefact is never changed."""
        for artefact in self._before(step):
            shutil.copytree(artefact, work / "steps" / artefact.name, copy_function=os.link)

    def _before(self, step: Step) -> list[Path]:
        steps, stages = list(Step), [(LOAD_PHOTOS.name, LOAD_PHOTOS.step), *((each.name, each.step) for each in STAGES)]
        names = [name for name, of in stages if steps.index(of) < steps.index(step)]
        return [artefact for name in names for artefact in self._steps.glob(f"{name}-*")]
