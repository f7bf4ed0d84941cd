"""`python -m recon_dev.checks.chart`: say what `helm lint --strict` finds in the chart."""

import subprocess
import sys

from recon_dev.binaries import find_helm
from recon_dev.state import CHECKOUT

CHART = CHECKOUT / "charts" / "reconstruction-operator"


def main() -> int:
    """Lint the chart; return the exit status."""
    command = [str(find_helm()), "lint", "--strict", "--quiet", str(CHART)]
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
