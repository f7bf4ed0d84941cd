"""Whether a GPU computes what a CPU does: `python -m benchmarks.gpu.agreement [--cpu] [--out FILE]`.

The same inputs go through the compiled code of a CPU and through the tensors of a GPU. Each figure is printed with its bounds.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch

from benchmarks.gpu.depth_agreement import DEPTH_CHECKS
from benchmarks.gpu.figures import Figure
from benchmarks.gpu.fusion_agreement import FUSION_CHECKS
from benchmarks.gpu.matching_agreement import MATCHING_CHECKS
from benchmarks.gpu.photographs import Photograph, photographs
from benchmarks.gpu.results import Findings

Check = Callable[[Sequence[Photograph], torch.device], Iterator[Figure]]

CHECKS: tuple[Check, ...] = (*DEPTH_CHECKS, *FUSION_CHECKS, *MATCHING_CHECKS)

SIZE_PX = (800, 608)
"""About as wide as the depth maps of quality `standard`; multiples of 32, as XFeat needs."""

REHEARSAL_PX = (320, 256)
"""The same without a GPU: tensors are slow on a CPU."""


def main() -> int:
    """Compare, print and store; return 1 where a figure is beyond its bounds."""
    options = _arguments()
    device = torch.device("cpu" if options.cpu else "cuda")
    torch.set_num_threads(1)  # as in the stages, which give each core a view of its own
    found: list[Figure] = []
    with torch.inference_mode():
        for figure in compare(photographs(*(REHEARSAL_PX if options.cpu else SIZE_PX)), device):
            print(figure, flush=True)
            found.append(figure)
            if options.out:
                Findings(figures=tuple(found)).save(options.out)
    beyond = [figure for figure in found if not figure.holds]
    if beyond:
        print(f"{len(beyond)} of {len(found)} figures are beyond their bounds", file=sys.stderr)
    return int(bool(beyond))


def compare(photos: Sequence[Photograph], device: torch.device, checks: Sequence[Check] = CHECKS) -> Iterator[Figure]:
    """Yield the figures of all checks; one that raises is a figure that keeps no bound."""
    for check in checks:
        try:
            yield from check(photos, device)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other checks are made
            reason = f"{check.__name__} ended with {type(error).__name__}: {error}"
            yield Figure(name=reason, value=float("nan"), at_most=0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cpu", action="store_true", help="rehearse on small photos: the tensors run on the CPU, too")
    parser.add_argument("--out", type=Path, metavar="FILE", help="store the figures there, after each of them")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
